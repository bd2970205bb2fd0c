import { expect, it } from 'vitest';
import { loadFlow } from '../load-flow.ts';

const mistakes = (source: string) =>
  loadFlow(`apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: acme-pay, service: cards, name: refunds, version: 1.0.0 }
spec:
  sources: [{ id: bank, connection: bank-files, ${source} }]
  format: { type: delimited, header: true }
  schema: { record: { fields: { refundId: { type: string } } } }
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: acme-out } }
`).diagnostics.map(({ code, message }) => `${code} ${message}`);

it('a mark of taken files is none to complain of, at folders and SFTP servers', () => {
  for (const type of ['folder', 'sftp'])
    for (const more of [
      'afterwards: mark',
      'afterwards: mark, mark: .seen, ready: { marker: .done }',
      'mark: .done, ready: { marker: .done }',
    ])
      expect(mistakes(`type: ${type}, ${more}`)).toEqual([]);
});

it.each([
  ['that is the marker of others', 'type: sftp, afterwards: mark, mark: .done, ready: { marker: .done }', /looks like the marker/],
  ['that ends as manifests do', 'type: sftp, afterwards: mark, mark: .my.sha256, ready: { manifest: .sha256 }', /looks like the manifest/],
  ['with which all that is taken ends', 'type: folder, afterwards: mark, mark: .csv, match: "*.csv"', /nothing would be taken/],
  ['that is no suffix', 'type: sftp, afterwards: mark, mark: done', /^E_CONFIG_VALUE/],
  ['of objects, which have no other name', 'type: blob, afterwards: mark', /move, delete, leave/],
] as const)('a mark %s is refused when the flow is read', (_what, source, says) => {
  const [first, ...others] = mistakes(source);
  expect([first, others]).toEqual([expect.stringMatching(says), []]);
});
