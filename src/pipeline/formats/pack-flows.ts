/** What flows know of packs, without their readers: those that a flow can name as its format. */
import { iso20022Flow } from './iso20022/flow/iso20022-flow.ts';
import { nachaFlow } from './nacha/nacha-flow.ts';
import type { PackFlow, PackName } from './pack.ts';

export const packFlows: Readonly<Partial<Record<PackName, PackFlow>>> = { nacha: nachaFlow, iso20022: iso20022Flow };
