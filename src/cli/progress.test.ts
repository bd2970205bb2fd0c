import { describe, expect, it } from 'vitest';
import { Progress } from './progress.ts';

const megabyte = 1_000_000;

/** A progress of work whose time passes by hand, with all that it wrote. */
function started({ isTTY = false, isPatient = false, columns = 80 } = {}) {
  const written: string[] = [];
  let ms = 5_000;
  const out = { isTTY, columns, write: (text: string) => written.push(text) > 0 };
  const progress = new Progress('eft.txt', { isPatient, clock: { monotonicMs: () => ms }, out: out as never });
  return { progress, written, pass: (seconds: number) => (ms += seconds * 1000) };
}

describe('progress where nobody sees a terminal', () => {
  it('is a line for new words at once, and one each ten seconds for new numbers', () => {
    const { progress, written, pass } = started();
    const show = (state: string, read: number) => progress.show(() => `${state}, ${read} records read`);
    show('running', 0);
    for (let second = 1; second <= 25; second++) {
      pass(1);
      show('running', second * 1000);
    }
    show('completed', 25_000);
    show('completed', 25_000);
    progress.end();
    expect(written).toEqual([
      'eft.txt: running, 0 records read\n',
      'eft.txt: running, 10000 records read\n',
      'eft.txt: running, 20000 records read\n',
      'eft.txt: completed, 25000 records read\n',
    ]);
  });

  it('is nothing of what is done within ten seconds, where it is patient, and then has rate and time left', () => {
    const { progress, written, pass } = started({ isPatient: true });
    for (let second = 0; second <= 21; second++) {
      progress.showBytes('sent', second * 4 * megabyte, 400 * megabyte);
      pass(1);
    }
    expect(written).toEqual([
      'eft.txt: 40.0 MB of 400.0 MB sent, 4.0 MB/s, 1 min 30 s left\n',
      'eft.txt: 80.0 MB of 400.0 MB sent, 4.0 MB/s, 1 min 20 s left\n',
    ]);
  });
});

describe('progress on a terminal', () => {
  it('is one line with a bar, written over, of which the rate is that of the last seconds', () => {
    const { progress, written, pass } = started({ isTTY: true, isPatient: true });
    for (let second = 0; second <= 40; second++) {
      progress.showBytes('sent', Math.min(second, 10) * 10 * megabyte + Math.max(0, second - 10) * megabyte, 150 * megabyte);
      pass(1);
    }
    progress.end();
    expect(written[0]).toBe('\r\u001b[K░░░░░░░░░░   6 % 14 s left  eft.txt: 10.0 MB of 150.0 MB sent, 10.0 MB/s');
    expect(written.at(-2)).toBe('\r\u001b[K████████░░  86 % 20 s left  eft.txt: 130.0 MB of 150.0 MB sent, 1.0 MB/s');
    expect(written.at(-1)).toBe('\n');
  });

  it('has no bar where the end is not known, and no time left while nothing moves', () => {
    const { progress, written, pass } = started({ isTTY: true });
    progress.showBytes('written', 0, 0);
    pass(2);
    progress.showBytes('written', 2_500_000_000, 0);
    progress.show(() => 'delivering', { step: 'delivering', share: 0.5, count: 5, unit: 'records' });
    pass(2);
    progress.show(() => 'delivering still', { step: 'delivering', share: 0.5, count: 5, unit: 'records' });
    expect(written.map((text) => text.slice(4))).toEqual([
      'eft.txt: 0 B written',
      'eft.txt: 2.5 GB written, 1.3 GB/s',
      '█████░░░░░  50 %  eft.txt: delivering',
      '█████░░░░░  50 %  eft.txt: delivering still',
    ]);
  });

  it('fits one line of the terminal, has nothing in it that controls one, and is none when nothing was to be said', () => {
    const { progress, written } = started({ isTTY: true, columns: 20 });
    progress.end();
    progress.show(() => 'running \u001b[31m and so on and on');
    expect(written).toEqual(['\r\u001b[Keft.txt: running \ufffd[']);
  });
});
