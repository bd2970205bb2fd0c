/** Flows that send what a bank is to answer, and flows that read its answers, as CSV and as status reports. */

/** `root`: the folder that files are written to. */
export const answerDocuments = (root: string): string[] => [
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: out }
spec: { type: folder, root: ${JSON.stringify(root)} }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: eft-out, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { key: [paymentId], fields: {
    paymentId: { type: string, required: true }, name: { type: string }, amount: { type: decimal, scale: 2, sum: true } } } }
  transform: [{ id: shape, set: { id: record.paymentId, name: record.name, amount: record.amount } }]
  routes: { default: { to: [bank] } }
  targets:
    bank: { type: file, connection: out, path: bank, format: csv, name: "EFT{sequence:4}.{extension}", answers: { within: 1h, key: out.id } }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: bank-answers, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  duplicates: { onDuplicate: accept }
  schema: { record: { fields: { file: { type: string }, payment: { type: string }, result: { type: string, required: true }, why: { type: string }, text: { type: string, mask: all } } } }
  routes: { default: { to: [matched] } }
  targets:
    matched: { type: answers, of: [{ flow: eft-out, target: bank }], file: out.file, key: out.payment, status: out.result, reason: out.why,
      accepted: [OK], refused: [NOK], pending: [WAIT] }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: grouped-out, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { fields: { paymentId: { type: string, required: true }, name: { type: string }, amount: { type: decimal, scale: 2 } } } }
  transform: [{ id: shape, set: { id: record.paymentId, pack: record.name } }]
  routes: { default: { to: [bank] } }
  targets:
    bank: { type: file, connection: out, path: grouped, name: "GRP{sequence:4}.{extension}", answers: { within: 1h, key: out.id, group: out.pack } }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: bank-reports, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: iso20022, message: pain.002, statuses: all }
  routes: { default: { to: [matched] } }
  targets: { matched: { type: answers, of: [{ flow: eft-out, target: bank }, { flow: grouped-out, target: bank }] } }
`,
];

export const smallFlow = (name: string, targets: string): string => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: ${name}, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { fields: { id: { type: string, required: true }, name: { type: string } } } }
  routes: { default: { to: [${targets.split(':')[0]}] } }
  targets: { ${targets} }
`;
