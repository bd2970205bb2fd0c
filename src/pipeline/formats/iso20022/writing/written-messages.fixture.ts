/** Writes messages for tests. */

import { type Options, refusalOf as packRefusalOf, type Written, writeDocument } from '../../writing/pack-writing.fixture.ts';
import { iso20022Pack } from '../iso20022-pack.ts';

export const writeMessage = (document: unknown, options: Options = {}): Written => writeDocument(iso20022Pack, document, options);

export const refusalOf = (document: unknown): ReturnType<typeof packRefusalOf> => packRefusalOf(iso20022Pack, document);
