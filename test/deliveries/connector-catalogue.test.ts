import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ownDeliveryKeys, targetShape } from '../../src/control/flows/documents/target-shapes.ts';
import { loadDocument, loadFlow } from '../../src/control/flows/load-flow.ts';
import { loadConnectors } from '../../src/main/catalogue.ts';
import type { Connection, Connector } from '../../src/pipeline/connectors/connector.ts';
import { systemResolveHost } from '../../src/pipeline/connectors/resolve-host.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { createSecretResolver } from '../../src/platform/secrets/secret-resolver.ts';
import { citedTests } from '../support/cited-tests.ts';
import { openFence } from '../support/open-fence.ts';

let connectors: readonly Connector[];
beforeAll(async () => {
  connectors = await loadConnectors();
});

const targets: Readonly<Record<string, string>> = {
  file: '{ type: file, connection: c }',
  s3: '{ type: s3, connection: c, path: in/eft }',
  'azure-blob': '{ type: azure-blob, connection: c, path: in/eft }',
  gcs: '{ type: gcs, connection: c, path: in/eft }',
  sftp: '{ type: sftp, connection: c, path: in/eft, readBack: size }',
  http: '{ type: http, connection: c, path: /v1/x, results: ndjson, status: { path: "/v1/status/{key}?by=key", field: state, acked: [done], absentStatus: [404] } }',
  amqp: '{ type: amqp, connection: c, queue: RTGS.IN, order: by-key }',
  kafka: '{ type: kafka, connection: c, topic: eft.credit, key: "out.id", order: by-key }',
  postgres: '{ type: postgres, connection: c, table: pay.credit, mode: upsert, keys: [id] }',
  mysql: '{ type: mysql, connection: c, table: pay.credit, mode: upsert, keys: [id] }',
  answers: '{ type: answers, of: [{ flow: eft-out, target: bank }], key: out.id, status: out.id, accepted: [OK] }',
};
const connections: Readonly<Record<string, string>> = {
  folder: '{ type: folder, root: /srv/out }',
  s3: '{ type: s3, bucket: bank-in, region: eu-central-1, accessKeyId: "env:HEADGATE_SECRET_BANK_ZA__I", secretAccessKey: "env:HEADGATE_SECRET_BANK_ZA__S" }',
  'azure-blob': '{ type: azure-blob, container: bank-in, account: bankza, accountKey: "env:HEADGATE_SECRET_BANK_ZA__S" }',
  gcs: '{ type: gcs, bucket: bank-in, serviceAccount: "env:HEADGATE_SECRET_BANK_ZA__S" }',
  sftp: '{ type: sftp, host: sftp.bank.example, user: headgate, password: "env:HEADGATE_SECRET_BANK_ZA__S", hostKeys: ["SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8"] }',
  http: `{ type: http, baseUrl: https://api.bank.example, healthPath: /health, certificateAuthority: "env:HEADGATE_SECRET_BANK_ZA__CA",
    clientCertificate: "env:HEADGATE_SECRET_BANK_ZA__CRT", clientKey: "env:HEADGATE_SECRET_BANK_ZA__KEY",
    signature: { scheme: timestamp, keyId: k1, secret: "env:HEADGATE_SECRET_BANK_ZA__HMAC", signatureHeader: X-Sign },
    auth: { type: oauth2, tokenUrl: https://id.bank.example/token, clientId: headgate, clientSecret: "env:HEADGATE_SECRET_BANK_ZA__O", scope: "a b" } }`,
  amqp: '{ type: amqp, host: mq.bank.example, user: headgate, password: "env:HEADGATE_SECRET_BANK_ZA__MQ" }',
  kafka:
    '{ type: kafka, brokers: ["kafka1.bank.example:9093"], sasl: scram-sha-512, user: headgate, password: "env:HEADGATE_SECRET_BANK_ZA__K" }',
  postgres: '{ type: postgres, host: db.bank.example, database: ledger, user: writer, password: "env:HEADGATE_SECRET_BANK_ZA__P" }',
  mysql: '{ type: mysql, host: db.bank.example, database: ledger, user: writer, password: "env:HEADGATE_SECRET_BANK_ZA__P" }',
};

function flowText(target: string): string {
  return `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank-za, service: payments, name: credits, version: 1.0.0 }
spec:
  sources: [{ id: in, type: folder, connection: drop, path: in, match: "*.csv", ready: { stableFor: 1s } }]
  format: { type: delimited, header: true }
  schema: { record: { key: [id], fields: { id: { type: string, required: true } } } }
  routes: { mode: first, rules: [], default: { to: [out] } }
  targets: { out: ${target} }
`;
}

function connectionOf(text: string): Connection {
  const { document, diagnostics } = loadDocument(
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bank-za, name: c }\nspec: ${text}\n`,
  );
  expect(diagnostics).toEqual([]);
  const { type, ...settings } = document!.spec as { type: string };
  return { name: 'c', type, settings };
}

/** How a record is written is the body's, not the connector's. */
const bodyKeys = ['format', 'delimiter', 'header', 'columns', 'lineEnd', 'maxAmount', 'window'];

describe('the catalogue of connectors', () => {
  it('has exactly the targets that a flow can name, and each can be told what it describes', () => {
    expect(connectors.map(({ name }) => name).sort()).toEqual(Object.keys(targetShape.variants).sort());
    for (const { name, targetSettings } of connectors) {
      const { keys } = targetShape.variants[name] as unknown as { keys: Record<string, unknown> };
      const own = Object.keys(keys).filter((key) => !['type', 'connection', ...bodyKeys, ...Object.keys(ownDeliveryKeys)].includes(key));
      expect([name, own.sort()]).toEqual([name, targetSettings.map((setting) => setting.name).sort()]);
    }
  });

  it('each has a test or a reason for each fault of a network', () => {
    const page = readFileSync(join('docs', 'connectors', 'faults.md'), 'utf8');
    const faults = page.split('\n## ').slice(1, -1);
    expect(faults).toHaveLength(8);
    for (const fault of faults) {
      const rows = [...fault.matchAll(/^\| ([a-z0-9, -]+) \| (.+) \|$/gm)].filter(([, names]) => names !== 'target');
      const named = rows.flatMap(([, names = '', shown = '']) => {
        expect([names, citedTests(shown).length > 0 || shown.startsWith('none: ')]).toEqual([names, true]);
        return names.split(', ');
      });
      const [title] = fault.split('\n');
      expect([title, [...new Set(named)].sort()]).toEqual([title, connectors.map(({ name }) => name).sort()]);
    }
  });

  it('opens what the flow checker lets through, with its defaults filled in', async () => {
    for (const connector of connectors) {
      const { plan, diagnostics } = loadFlow(flowText(targets[connector.name]!));
      expect(diagnostics).toEqual([]);
      const target = connector.open({
        tenantId: systemPorts.ids.next(),
        plan: plan!,
        target: plan!.targets[0]!,
        connection:
          connector.connectionType === null
            ? { name: '', type: 'none', settings: {} }
            : connectionOf(connections[connector.connectionType]!),
        egress: { allowPrivate: [], allowPlain: false },
        folders: openFence,
        secrets: createSecretResolver({ env: {}, limits: null }),
        ports: { ...systemPorts, resolveHost: systemResolveHost },
      });
      await target.close();
    }
  });
});
