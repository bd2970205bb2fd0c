/** The only list of formats (and of connectors) of the product. Adding one is a folder of its own and a line here. */
import { delimitedFormat } from '../pipeline/formats/delimited/delimited-format.ts';
import { fixedWidthFormat } from '../pipeline/formats/fixed-width/fixed-width-format.ts';
import type { Format } from '../pipeline/formats/format.ts';
import { jsonLinesFormat } from '../pipeline/formats/json-lines/json-lines-format.ts';

export const formats = [delimitedFormat, fixedWidthFormat, jsonLinesFormat] as readonly Format[];
