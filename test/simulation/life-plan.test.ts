import { expect, it } from 'vitest';
import { createLifePlan } from './life-plan.ts';
import { seededRandom } from './seeded-random.ts';

const shares = { point: 0.6, pause: 0.2, drain: 0.2 };

it.each(Array.from({ length: 20 }, (_, seed) => seed))(
  'the last life of a plan whose traffic lags behind waits for it (seed %i)',
  (seed) => {
    const plan = createLifePlan({
      kills: 5,
      points: ['a', 'b'],
      shares,
      random: seededRandom(seed),
      pausePoints: [],
      isBehind: () => true,
    });
    for (let life = plan.next(); life !== undefined; life = plan.next()) {
      if (plan.kills === 4) expect(life.end).toBe('instant');
      plan.end(life, { wasKilled: true, point: undefined });
    }
    expect(plan.kills).toBe(5);
  },
);

it('a point that was tried in vain several times is waited for longer', () => {
  const plan = createLifePlan({
    kills: 100,
    points: ['a'],
    shares: { point: 1, pause: 0, drain: 0 },
    random: seededRandom(1),
    pausePoints: [],
    isBehind: () => false,
  });
  const next = (point?: string) => {
    const life = plan.next()!;
    plan.end(life, { wasKilled: true, point });
    return life.end === 'point' && life.isRare;
  };
  expect([next(), next(), next(), next(), next('a'), next()]).toEqual([false, false, false, true, true, false]);
});
