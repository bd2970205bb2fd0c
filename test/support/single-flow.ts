/** A flow whose every record is a batch of its own: what a job of very many batches needs. */
export const singleFlowOf = (tenant: string) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: ${tenant}, service: payments, name: single, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema:
    record:
      key: [id]
      fields:
        id: { type: string, required: true, unique: file }
        amount: { type: decimal, scale: 2, required: true, sum: true }
  routes: { default: { to: [api] } }
  targets: { api: { type: http, connection: api, batch: { size: 1 }, concurrency: 64 } }
`;
