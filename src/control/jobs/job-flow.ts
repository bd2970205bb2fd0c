/** The flow of a job: that of its version, or what a re-drive leaves of it. */
import { redrivePlan } from '../../pipeline/engine/redrive-plan.ts';
import type { ReceiptRedrive } from '../../pipeline/ledger/receipt.ts';
import type { JobFlow } from './job-services.ts';

export function flowOfJob(flow: JobFlow, redrive: Pick<ReceiptRedrive, 'targets'> | null): JobFlow {
  return redrive === null ? flow : { ...flow, plan: redrivePlan(flow.plan, redrive.targets) };
}
