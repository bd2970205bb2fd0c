/** Why an XML document cannot be read on: each ends the reading, as the recommendation asks of a fatal error. */
import { defineErrors } from '../../../../platform/base/errors.ts';

export const xmlErrors = defineErrors({
  E_XML_SYNTAX: {
    meaning: 'The file is not well-formed XML 1.0 with namespaces.',
    actor: 'sender',
    next: 'Correct the markup at the given line and column and send the file again; nothing after it was read.',
  },
  E_XML_DTD: {
    meaning: 'The XML has a document type declaration. None is read, whatever it holds, so that no entity is expanded or fetched.',
    actor: 'sender',
    next: 'Send the file without DOCTYPE.',
  },
  E_XML_ENTITY: {
    meaning: 'The XML refers to an entity other than lt, gt, amp, apos and quot.',
    actor: 'sender',
    next: 'Write the character itself, or its number, in place of the entity.',
  },
  E_XML_ENCODING: {
    meaning: 'The encoding of the XML is not UTF-8, nor UTF-16 with a byte order mark, or is not the one it declares.',
    actor: 'sender',
    next: 'Send the file in UTF-8 and declare it so.',
  },
  E_XML_LIMIT: {
    meaning: 'A name, text, tag, comment or the nesting of the XML is larger than is read.',
    actor: 'sender',
    next: 'Check the file at the given line; the limits are on the documentation page of the format.',
  },
});
