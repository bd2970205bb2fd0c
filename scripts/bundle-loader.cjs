'use strict';
/**
 * Loads the files of the bundle, each compiled once: with the code that was kept for the functions that an earlier process of the same command, or
 * thread of the same kind, had run. What is kept lies beside the files that it was made of: V8 looks whether code fits, and what is not whole is not used. So are
 * kernels, by the script that they were compiled from.
 */
const fs = require('node:fs');
const { pathToFileURL } = require('node:url');
const { cachedDataVersionTag } = require('node:v8');
const { Script, constants } = require('node:vm');
const { isMainThread } = require('node:worker_threads');

/** V8 wants kept code to begin at a multiple of it. */
const alignment = 8;
/** Of the file: how long the list of its parts is. */
const headBytes = 8;
/** So many processes add the functions that those before them had not run. */
const writesMax = 4;
/** Of all flows, until there is another bundle. */
const kernelsMax = 256;
/** Of all commands, threads and flags: a mistyped command ends as a process of its own, too. */
const codesMax = 64;

/** Of the runtime, what takes a millisecond and more to load: many a process never uses it. */
const slow = ['node:child_process', 'node:crypto', 'node:dns/promises', 'node:http', 'node:net', 'node:tls', 'node:zlib'];

/** The same module, loaded when something of it is first asked for. */
function whenUsed(id) {
  return new Proxy({}, { get: (_, name) => require(id)[name] });
}

/** Null where there is none, or where it is not whole: everything is there twice and has to be the same, because V8 ends the process over code that was damaged. */
function readTwice(path) {
  try {
    const twice = fs.readFileSync(path);
    const bytes = twice.subarray(0, twice.length / 2);
    return bytes.length >= headBytes && bytes.equals(twice.subarray(bytes.length)) ? bytes : null;
  } catch {
    return null;
  }
}

function writeTwice(path, pieces) {
  const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}`;
  try {
    fs.writeFileSync(temporary, Buffer.concat([...pieces, ...pieces]), { flag: 'wx', mode: 0o644 });
    fs.renameSync(temporary, path);
  } catch (cause) {
    fs.rmSync(temporary, { force: true });
    throw cause;
  }
}

/** By file of the bundle, and how often it was written. */
function readKept(path) {
  const code = new Map();
  const none = { code, writes: 0 };
  const bytes = readTwice(path);
  if (bytes === null) return none;
  try {
    let at = headBytes + bytes.readUInt32LE(0);
    const { writes, parts } = JSON.parse(bytes.toString('latin1', headBytes, at));
    for (const [name, length] of parts) {
      at = Math.ceil(at / alignment) * alignment;
      code.set(name, bytes.subarray(at, at + length));
      at += length;
    }
    return { code, writes };
  } catch {
    code.clear();
    return none;
  }
}

function writeKept(path, { code, writes }) {
  const parts = [...code];
  const list = Buffer.from(JSON.stringify({ writes, parts: parts.map(([name, { length }]) => [name, length]) }), 'latin1');
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(list.length);
  const pieces = [head, list];
  let at = headBytes + list.length;
  for (const [, part] of parts) {
    const gap = (alignment - (at % alignment)) % alignment;
    pieces.push(Buffer.alloc(gap), part);
    at += gap + part.length;
  }
  writeTwice(path, pieces);
}

/** A kernel's file is named by part of its key, and holds all of it. */
function kernelPath(folder, key) {
  let hash = key.length;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  return `${folder}/kernel-${(hash >>> 0).toString(16)}.wasm`;
}

function readKernel(folder, key) {
  const bytes = readTwice(kernelPath(folder, key));
  if (bytes === null) return null;
  const start = headBytes + bytes.readUInt32LE(0);
  return bytes.toString('utf8', headBytes, start) === key ? Uint8Array.from(bytes.subarray(start)) : null;
}

const countOf = (folder, end) => fs.readdirSync(folder).filter((name) => name.endsWith(end)).length;

function writeKernel(folder, key, code) {
  const text = Buffer.from(key, 'utf8');
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(text.length);
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    if (countOf(folder, '.wasm') < kernelsMax) writeTwice(kernelPath(folder, key), [head, text, code]);
  } catch {
    // Of an installation that others own, or on a full disk.
  }
}

/** By command in the main thread, and by what V8 was told: code that was compiled under other flags does not fit. */
function keptName(entry) {
  const command = isMainThread ? process.argv[2] : undefined;
  const name = /^[a-z][a-z-]{0,30}$/.test(command ?? '') ? `${entry}-${command}` : entry;
  return `${name}-${cachedDataVersionTag().toString(16)}.code`;
}

/** Runs an entry of the bundle in `folder`. */
module.exports = function start(folder, entry, require) {
  const keptPath = `${folder}/${keptName(entry)}`;
  const kept = readKept(keptPath);
  const scripts = new Map();
  const loaded = new Map();
  const flags = cachedDataVersionTag();
  let isWanted = kept.writes < writesMax;

  function load(name) {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const filename = `${folder}/${name}`;
    const cachedData = kept.code.get(name);
    const script = new Script(fs.readFileSync(filename, 'utf8'), {
      filename,
      cachedData,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    if (cachedData === undefined || script.cachedDataRejected) isWanted = true;
    scripts.set(name, script);
    const module = { exports: {} };
    loaded.set(name, module);
    const find = (id) => (id.startsWith('./') ? load(id.slice(2)) : slow.includes(id) ? whenUsed(id) : require(id));
    script.runInThisContext()(module.exports, find, module, folder, pathToFileURL(filename).href);
    return module.exports;
  }

  globalThis[Symbol.for('headgate.load')] = load;
  const keepCode = () => {
    if (!isWanted || cachedDataVersionTag() !== flags) return;
    isWanted = false;
    try {
      fs.accessSync(folder, fs.constants.W_OK);
      if (kept.writes === 0 && countOf(folder, '.code') >= codesMax) return;
      // What this process did not load stays for those that do.
      for (const [name, script] of scripts) kept.code.set(name, script.createCachedData());
      writeKept(keptPath, { code: kept.code, writes: kept.writes + 1 });
    } catch {
      // Of an installation that others own, or on a full disk.
    }
  };
  globalThis[Symbol.for('headgate.keeper')] = {
    keepCode,
    readKernel: (key) => readKernel(folder, key),
    writeKernel: (key, code) => writeKernel(folder, key, code),
    hasKernels: () => countOf(folder, '.wasm') > 0,
  };
  load(`${entry}.js`);
};
