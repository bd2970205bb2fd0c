/** The files of an export, by name. `docs/verify.md` describes them. */
export const exportFiles = {
  manifest: 'manifest.json',
  receipt: 'receipt.json',
  signature: 'receipt.jws',
  /** The flow definition as its author wrote it. */
  definition: 'flow.yaml',
  member: 'member.bin',
  /** Only where the file came packed. */
  container: 'container.bin',
  exclusions: 'exclusions.ndjson',
  batches: 'batches.ndjson',
} as const;

export interface ChunkFiles {
  readonly outcomes: string;
  readonly rejections: string;
  output(target: number): string;
}

export function chunkFiles(chunk: number): ChunkFiles {
  const folder = `chunks/${String(chunk).padStart(6, '0')}`;
  return {
    outcomes: `${folder}/outcomes.bin`,
    rejections: `${folder}/rejections.ndjson`,
    output: (target) => `${folder}/target-${target}.bin`,
  };
}

/** Every file that an export of this receipt holds, except the manifest. */
export function expectedFiles(receipt: {
  readonly exclusions: unknown;
  readonly file: { readonly container: { readonly sha256: string }; readonly member: { readonly sha256: string } };
  readonly chunks: readonly { readonly number: number; readonly rejections: unknown; readonly outputs: readonly unknown[] }[];
}): string[] {
  const names: string[] = [exportFiles.receipt, exportFiles.signature, exportFiles.definition, exportFiles.member, exportFiles.batches];
  if (receipt.file.container.sha256 !== receipt.file.member.sha256) names.push(exportFiles.container);
  if (receipt.exclusions !== null) names.push(exportFiles.exclusions);
  for (const chunk of receipt.chunks) {
    const files = chunkFiles(chunk.number);
    names.push(files.outcomes);
    if (chunk.rejections !== null) names.push(files.rejections);
    chunk.outputs.forEach((output, target) => {
      if (output !== null) names.push(files.output(target));
    });
  }
  return names;
}
