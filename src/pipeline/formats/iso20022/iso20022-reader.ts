/**
 * The reader of the pack: XML to the checker of the message, what the checker sees to the rules beyond the schema, what both find
 * to the sink. Finds the message within its envelope, if it is in one; of the envelope only the announced message is looked at.
 */
import type { PackReader, PackSettings, PackSink, PackSummary } from '../pack.ts';
import type { PackFinding } from '../pack-finding.ts';
import { type TextCheck, textCheck } from './character-sets.ts';
import { type MessageDefinition, messages, namespacePrefix } from './definitions/messages.ts';
import { DocumentWriter } from './document-writer.ts';
import { FlowLines } from './flow/flow-lines.ts';
import { placedFamilyOf } from './flow/flow-places.ts';
import { iso20022Errors } from './iso20022-errors.ts';
import { messageSetting, severityOf, statusesSetting } from './iso20022-settings.ts';
import { windowBytes as pathWindowBytes } from './paths/path-layout.ts';
import { givePathMemory, type PathMemory, takePathMemory } from './paths/path-memory.ts';
import { PathWalker } from './paths/path-walker.ts';
import { familyName, familyOf } from './rules/families.ts';
import type { MessageRules, RuleFinding } from './rules/message-rules.ts';
import { compileMessage, knownTags } from './schema/compiled-types.ts';
import { pathOf } from './schema/element-frame.ts';
import { type CheckerFinding, isSchemaHint, MessageChecker } from './schema/message-checker.ts';
import type { XmlAttribute } from './xml/start-tag.ts';
import type { XmlName } from './xml/xml-names.ts';
import { type XmlHandler, type XmlProblem, XmlReader } from './xml/xml-reader.ts';

const headerPrefix = 'urn:iso:std:iso:20022:tech:xsd:head.001.001.';
const announcedBytesMax = 64;
/** Of a file: what is smaller is not worth learning. */
const learnedFrom = 128 * 1024;

const nothing: MessageRules['summary'] = {
  records: { read: 0, rejected: 0 },
  amounts: {},
  controlTotals: { declared: {}, computed: {}, balanced: false },
};

export class Iso20022Reader implements PackReader, XmlHandler {
  readonly #xml = new XmlReader(this, knownTags());
  readonly #sink: PackSink;
  readonly #writer: DocumentWriter | null;
  readonly #checkText: TextCheck | null;
  readonly #settings: PackSettings;
  #depth = 0;
  /** Depth of the element whose content the checker gets; 0: none is open. */
  #documentDepth = 0;
  #hasDocument = false;
  #message: MessageDefinition | null = null;
  #checker: MessageChecker | null = null;
  #flow: FlowLines | null = null;
  #rules: MessageRules | null = null;
  #path = '';
  #errors = 0;
  #schemaErrors = 0;
  #hasHeader = false;
  #isAnnouncing = false;
  #announced = '';
  #isBare = false;
  /** An element of a message outside Document: what is in it is no message in an envelope. */
  #hasStray = false;
  /** Read to its end, with nothing against the schema. */
  #isComplete = false;
  readonly #learned: number;
  #pathMemory: PathMemory | null = null;
  #namespaceCount = 0;

  /** `learned`: bytes of the file from which on it is read along what came before. */
  constructor(settings: PackSettings, sink: PackSink, learned = learnedFrom) {
    this.#learned = learned;
    this.#settings = settings;
    this.#sink = sink;
    this.#checkText = textCheck(settings.get('characters') ?? null);
    this.#writer = sink.parsed === undefined ? null : new DocumentWriter(sink.parsed);
  }

  push(bytes: Uint8Array): void {
    this.#xml.push(bytes);
    this.#writer?.flush();
    if (this.#pathMemory === null && this.#checker !== null && this.#xml.source.offset >= this.#learned) this.#beginToLearn(this.#checker);
  }

  end(): PackSummary {
    this.#xml.end();
    this.#flow?.abandon();
    if (!this.#xml.hasFailed && !this.#hasDocument)
      this.#tell(iso20022Errors.E_ISO20022_MESSAGE, 'message-missing', `the file has no Document of ISO 20022; ${supported()}`);
    this.#writer?.end();
    this.#releaseMemory();
    const { records, amounts, controlTotals } = this.#rules?.summary ?? nothing;
    return {
      records,
      amounts,
      controlTotals: { ...controlTotals, balanced: controlTotals.balanced && this.#isComplete },
      details: { message: this.#message?.name ?? null, envelope: this.#hasHeader || this.#path.startsWith('//') },
    };
  }

  startElement(name: XmlName, namespace: number, attributes: readonly XmlAttribute[]): void {
    this.#depth++;
    if (this.#documentDepth > 0) {
      this.#checker?.start(name, namespace, attributes);
      return;
    }
    const local = this.#xml.names.textOf(name.local);
    const uri = this.#xml.names.textOf(namespace);
    // An envelope may hold the message without Document.
    this.#isBare =
      this.#depth > 1 && !this.#hasStray && messages.some(({ tag, name: each }) => tag === local && uri === namespacePrefix + each);
    if (local === 'Document' || this.#isBare) {
      this.#openDocument(uri, namespace);
      if (this.#isBare) this.#checker?.start(name, namespace, attributes);
      else this.#checkAttributes(attributes);
    } else if (uri.startsWith(headerPrefix)) {
      this.#hasHeader = true;
      this.#isAnnouncing = local === 'MsgDefIdr';
    } else if (uri.startsWith(namespacePrefix)) this.#hasStray = true;
  }

  endElement(): void {
    if (this.#documentDepth > 0) {
      if (this.#depth > this.#documentDepth) this.#checker?.end();
      if (this.#depth === this.#documentDepth + (this.#isBare ? 1 : 0)) this.#closeDocument();
    }
    this.#isAnnouncing = false;
    this.#depth--;
  }

  contentBegins(): boolean {
    if (this.#pathMemory === null || this.#checker === null || this.#xml.namespaces.count !== this.#namespaceCount) return false;
    const place = this.#checker.walk();
    if (place === null) return false;
    this.#depth = this.#messageDepth + place.depth;
    this.#xml.reopen(this.#messageDepth - 1, place.path);
    return true;
  }

  text(bytes: Buffer, from: number, to: number, isBlank: boolean): void {
    if (this.#documentDepth > 0) this.#checker?.text(bytes, from, to, isBlank);
    else if (this.#isAnnouncing && this.#announced.length < announcedBytesMax)
      this.#announced += bytes.toString('latin1', from, Math.min(to, from + announcedBytesMax));
  }

  problem({ code, rule, line, column, offset, message }: XmlProblem): void {
    const path = this.#checker === null ? '/' : this.#checker.path;
    this.#flow?.abandon();
    this.#report({ code, rule, line, columns: [column, column], offset, field: null, path, message });
  }

  #openDocument(uri: string, namespace: number): void {
    this.#documentDepth = this.#isBare ? this.#depth - 1 : this.#depth;
    this.#path = this.#depth === 1 ? '/Document' : this.#isBare ? '/' : '//Document';
    if (this.#hasDocument) {
      this.#tell(iso20022Errors.E_ISO20022_SCHEMA, 'document-once', 'a second message in one file');
      return;
    }
    this.#hasDocument = true;
    const message = messages.find(({ name }) => uri === namespacePrefix + name);
    if (message === undefined) {
      this.#tell(
        iso20022Errors.E_ISO20022_MESSAGE,
        'message-unknown',
        `the namespace of Document is that of no message that is read; ${supported()}`,
      );
      return;
    }
    const wanted = this.#settings.get(messageSetting) ?? null;
    if (wanted !== null && wanted !== familyName(message.name))
      this.#tell(iso20022Errors.E_ISO20022_MESSAGE, 'message-expected', `a message ${message.name}, where ${wanted} is expected`);
    this.#message = message;
    this.#writer?.begin(message.name, uri);
    this.#startMessage(message, namespace);
  }

  #startMessage(message: MessageDefinition, namespace: number): void {
    const family = familyOf(message.name);
    const isEachStatus = this.#isEachStatus && familyName(message.name) === 'pain.002';
    if (this.#sink.lines !== undefined)
      this.#flow = new FlowLines(this.#sink.lines, placedFamilyOf(message.name, isEachStatus), message.name, isEachStatus);
    const reader = this;
    const rules = family.create({
      report: (finding) => this.#tellOfRule(finding, message),
      pathOf: (frame) => pathOf(this.#path, this.#checker!.frames, this.#checker!.frames.indexOf(frame)),
      get isSchemaKept() {
        return reader.#schemaErrors === 0;
      },
      get errorCount() {
        return reader.#errors;
      },
    });
    this.#rules = rules;
    this.#checker = new MessageChecker({
      root: compileMessage(message, family.roles, isEachStatus),
      namespace,
      path: this.#path,
      source: this.#xml.source,
      names: this.#xml.names,
      blanks: this.#xml,
      writer: this.#writer,
      flow: this.#flow,
      listener: rules,
      report: (finding) => this.#tellOfCheck(finding),
      checkText: this.#checkText,
    });
  }

  get #isEachStatus(): boolean {
    return this.#settings.get(statusesSetting) === 'all';
  }

  /** Depth of the element of the message. */
  get #messageDepth(): number {
    return this.#documentDepth + 1;
  }

  /** Not where every status is a record, whose lines come of more than records, nor inside an element with namespaces of its own: what is learned holds where those of the message do. */
  #beginToLearn(checker: MessageChecker): void {
    const { source, namespaces } = this.#xml;
    const isPlain =
      !this.#isEachStatus && this.#writer === null && this.#checkText === null && source.encoding === 'UTF-8' && !this.#xml.hasFailed;
    if (!isPlain || namespaces.depth >= this.#messageDepth || source.length - source.cursor > pathWindowBytes / 2) return;
    const names = this.#xml.openNames(this.#messageDepth - 1);
    if (!checker.isAt(names.length - 1)) return;
    this.#pathMemory = takePathMemory();
    source.moveTo(this.#pathMemory.window);
    this.#namespaceCount = namespaces.count;
    checker.walkWith(
      new PathWalker({ memory: this.#pathMemory, source, frames: checker.frames, listener: this.#rules!, flow: this.#flow }),
      names,
    );
  }

  #releaseMemory(): void {
    if (this.#pathMemory === null) return;
    this.#xml.source.bytes = Buffer.alloc(0);
    givePathMemory(this.#pathMemory);
    this.#pathMemory = null;
  }

  #closeDocument(): void {
    this.#documentDepth = 0;
    if (this.#checker === null) return;
    this.#checker.finish();
    this.#flow?.finish();
    this.#checker = null;
    this.#rules!.finish();
    this.#isComplete = this.#schemaErrors === 0;
    const announced = this.#announced.trim();
    if (announced !== '' && announced !== this.#message!.name)
      this.#tell(iso20022Errors.E_ISO20022_BUSINESS, 'header-message', `the header announces another message than ${this.#message!.name}`);
  }

  /** Of Document itself. */
  #checkAttributes(attributes: readonly XmlAttribute[]): void {
    if (this.#checker === null) return;
    for (const attribute of attributes)
      if (!isSchemaHint(attribute, this.#xml.names))
        this.#tell(iso20022Errors.E_ISO20022_SCHEMA, 'schema-attribute', 'an attribute that Document does not have');
  }

  #tellOfCheck({ level, rule, message, line, columns, offset, field, path }: CheckerFinding): void {
    const code = level === 'schema' ? iso20022Errors.E_ISO20022_SCHEMA : iso20022Errors.E_ISO20022_BUSINESS;
    this.#report({ code, rule, line, columns, offset, field, path, message });
  }

  #tellOfRule({ rule, message: text, at, field, path }: RuleFinding, message: MessageDefinition): void {
    this.#report({
      code: iso20022Errors.E_ISO20022_BUSINESS,
      rule,
      line: at.line,
      columns: [at.column, at.column + Math.max(at.length, 1) - 1],
      offset: at.offset,
      field,
      path: path.startsWith('/') ? path : `${this.#path}/${message.tag}/${path}`,
      message: text,
    });
  }

  /** At the place that is read. */
  #tell(code: string, rule: string, message: string): void {
    const { line, offset } = this.#xml.source;
    this.#report({ code, rule, line, columns: null, offset, field: null, path: this.#path === '' ? '/' : this.#path, message });
  }

  #report(finding: Omit<PackFinding, 'record' | 'severity'>): void {
    if (this.#checker !== null) this.#checker.findings++;
    const severity = severityOf(finding.rule, this.#settings);
    if (severity === 'error') this.#errors++;
    if (finding.code === iso20022Errors.E_ISO20022_SCHEMA) this.#schemaErrors++;
    const concernsFile = finding.code !== iso20022Errors.E_ISO20022_BUSINESS;
    this.#sink.finding({ severity, record: recordOf(finding.path ?? ''), ...(concernsFile ? { concernsFile } : {}), ...finding });
  }
}

/** Elements that findings name as their record, where they are in one. */
const records =
  /\/(GrpHdr|OrgnlGrpInfAndSts|OrgnlPmtInfAndSts|PmtInf|CdtTrfTxInf|DrctDbtTxInf|TxInf|TxInfAndSts|Stmt|Rpt|Ntfctn|Bal|TxsSummry|Ntry)(?=[[/]|$)/g;

function recordOf(path: string): string | null {
  return [...path.matchAll(records)].at(-1)?.[1] ?? null;
}

function supported(): string {
  return `read are ${messages.map(({ name }) => name).join(', ')}, each in the namespace ${namespacePrefix}NAME`;
}
