/** What flows know of packs, without their readers: those that a flow can name as its format. */

import { bai2Flow } from './bai2/bai2-flow.ts';
import { iso20022Flow } from './iso20022/flow/iso20022-flow.ts';
import { nachaFlow } from './nacha/nacha-flow.ts';
import type { PackFlow, PackName } from './pack.ts';
import { swiftFlow } from './swift-mt/swift-flow.ts';

export const packFlows: Readonly<Record<PackName, PackFlow>> = {
  nacha: nachaFlow,
  iso20022: iso20022Flow,
  bai2: bai2Flow,
  'swift-mt': swiftFlow,
};
