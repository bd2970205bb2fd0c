/**
 * Mistakes that a test can switch on in a process of the product, to prove that the soak would see them: each takes away one
 * step that a guarantee stands on. Without HEADGATE_TEST_PLANT none of them is there.
 */
export const plantedFaults = ['ack-before-commit', 'no-fence', 'new-key-on-retry'] as const;
export type PlantedFault = (typeof plantedFaults)[number];

const planted = process.env['HEADGATE_TEST_PLANT'];

/** Whether this process was told to make this mistake. */
export function isPlanted(fault: PlantedFault): boolean {
  return planted === fault;
}
