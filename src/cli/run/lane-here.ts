/** A lane in the calling thread: it runs a chunk between two pieces that this thread reads. */
import { giveModules, type MadeModule } from '../../pipeline/engine/kernel/kernel-module.ts';
import { ChunkLane } from './chunk-lane.ts';
import type { LaneEvents, RunningLane } from './running-lane.ts';

/** `modules`: of lanes that were first. */
export function openLaneHere({ sized, written, failed }: LaneEvents, buffered: number, modules: readonly MadeModule[]): RunningLane {
  giveModules(modules);
  let lane: ChunkLane | null = null;
  return {
    begin(setup) {
      lane?.close();
      lane = new ChunkLane(setup, { name: 'here', buffered, sized, written, failed });
    },
    run: (job) => lane!.add(job),
    place: (offsets) => lane!.place(offsets),
    async close() {
      lane?.close();
    },
  };
}
