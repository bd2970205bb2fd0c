/**
 * The only list of formats and of connectors of the product. Adding one is a folder of its own and a line here. Connectors
 * bring drivers with them, so they are loaded when deliveries start, not with every command.
 */
import type { Connector } from '../pipeline/connectors/connector.ts';
import { delimitedFormat } from '../pipeline/formats/delimited/delimited-format.ts';
import { fixedWidthFormat } from '../pipeline/formats/fixed-width/fixed-width-format.ts';
import type { Format } from '../pipeline/formats/format.ts';
import { jsonLinesFormat } from '../pipeline/formats/json-lines/json-lines-format.ts';
import type { Packs } from '../pipeline/formats/pack.ts';

export const formats = [delimitedFormat, fixedWidthFormat, jsonLinesFormat] as readonly Format[];

/** Formats that know their own records. Loaded when a file or a flow names one. */
export const packs: Packs = {
  nacha: async () => (await import('../pipeline/formats/nacha/nacha-pack.ts')).nachaPack,
  bai2: async () => (await import('../pipeline/formats/bai2/bai2-pack.ts')).bai2Pack,
  'swift-mt': async () => (await import('../pipeline/formats/swift-mt/swift-pack.ts')).swiftPack,
  iso20022: async () => (await import('../pipeline/formats/iso20022/iso20022-pack.ts')).iso20022Pack,
};

export async function loadConnectors(): Promise<readonly Connector[]> {
  return [
    (await import('../pipeline/connectors/file/file-connector.ts')).fileConnector,
    (await import('../pipeline/connectors/sftp/sftp-connector.ts')).sftpConnector,
    ...(await import('../pipeline/connectors/blob/blob-connectors.ts')).blobConnectors,
    (await import('../pipeline/connectors/http/http-connector.ts')).httpConnector,
    (await import('../pipeline/connectors/amqp/amqp-connector.ts')).amqpConnector,
    (await import('../pipeline/connectors/kafka/kafka-connector.ts')).kafkaConnector,
    (await import('../pipeline/connectors/postgres/postgres-connector.ts')).postgresConnector,
    (await import('../pipeline/connectors/mysql/mysql-connector.ts')).mysqlConnector,
    (await import('../pipeline/connectors/answers/answers-connector.ts')).answersConnector,
  ];
}
