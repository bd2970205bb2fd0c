/** What the rules beyond the schema get to see: elements with a role. */
import type { CheckedValue } from './checked-value.ts';
import type { ElementFrame } from './element-frame.ts';

export interface RoleListener {
  started(role: number, frame: ElementFrame): void;
  valued(role: number, value: CheckedValue, frame: ElementFrame): void;
  ended(role: number, frame: ElementFrame): void;
}
