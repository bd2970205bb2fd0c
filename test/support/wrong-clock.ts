/**
 * Puts the wall clock of a process wrong, its threads and child processes included: for `NODE_OPTIONS=--import=…`. The clock
 * of the database, file times and rising time stay as they are, as on a machine whose clock was set wrong.
 */
const offsetMs = Number(process.env['HEADGATE_TEST_CLOCK_OFFSET_MS'] ?? 0);
const TrueDate = Date;
const nowMs = () => TrueDate.now() + offsetMs;

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [nowMs()] : args, newTarget) as object,
  apply: () => new TrueDate(nowMs()).toString(),
  get: (target, name, receiver) => (name === 'now' ? nowMs : Reflect.get(target, name, receiver)),
});
