/** The XML declaration, production 23 of XML 1.0. */
import { xmlErrors } from './xml-errors.ts';
import { XmlFault } from './xml-source.ts';

const declaration =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"([^"]*)"|'([^']*)')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][-A-Za-z0-9._]*)"|'([A-Za-z][-A-Za-z0-9._]*)'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>$/;

/** `text` is the whole declaration, which begins at `at`; `encoding` is what the first bytes say. */
export function checkDeclaration(text: string, encoding: 'UTF-8' | 'UTF-16', at: number): void {
  const parts = declaration.exec(text);
  if (parts === null) throw new XmlFault(xmlErrors.E_XML_SYNTAX, 'xml-declaration', at, 'the XML declaration is not as it has to be');
  if ((parts[1] ?? parts[2]) !== '1.0')
    throw new XmlFault(xmlErrors.E_XML_SYNTAX, 'xml-declaration', at, 'the version of the XML is not 1.0');
  // Without the hyphen the name is none that is registered, but means the same to whoever writes it.
  const declared = (parts[3] ?? parts[4])?.toUpperCase().replace(/^UTF8$/, 'UTF-8');
  if (declared === undefined || declared === encoding) return;
  throw new XmlFault(
    xmlErrors.E_XML_ENCODING,
    'xml-encoding',
    at,
    `the file is in ${encoding} by its first bytes, but declares another encoding`,
  );
}
