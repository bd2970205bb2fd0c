/** Every rule of the pack, with its source. XML 1.0 is the fifth edition; "definition" is that of the message by ISO 20022. */
import type { PackRule } from '../pack.ts';
import { iso20022Errors } from './iso20022-errors.ts';
import { xmlErrors } from './xml/xml-errors.ts';

const { E_XML_DTD, E_XML_ENCODING, E_XML_ENTITY, E_XML_LIMIT, E_XML_SYNTAX } = xmlErrors;
const { E_ISO20022_BUSINESS, E_ISO20022_MESSAGE, E_ISO20022_SCHEMA } = iso20022Errors;

const rulesOf = (code: string, says: Readonly<Record<string, string>>): [string, PackRule][] =>
  Object.entries(says).map(([rule, sentence]) => [rule, { code, says: sentence }]);

export const iso20022Rules: Readonly<Record<string, PackRule>> = Object.fromEntries([
  ...rulesOf(E_XML_ENCODING, {
    'xml-encoding': 'The file is in UTF-8, or in UTF-16 with a byte order mark, and declares no other encoding (XML 1.0, 4.3.3).',
  }),
  ...rulesOf(E_XML_SYNTAX, {
    'xml-declaration': 'An XML declaration is at the very start, with version 1.0 (XML 1.0, 2.8).',
    'xml-character': 'Every character is one that XML has, in bytes that are right for the encoding (XML 1.0, 2.2).',
    'xml-tag': 'Tags and names are built as they have to be (XML 1.0, 2.3 and 3.1).',
    'xml-attribute': 'Attributes have a quoted value without <, and each stands once in a tag (XML 1.0, 3.1).',
    'xml-namespace': 'Every prefix stands for a namespace (Namespaces in XML 1.0, 5).',
    'xml-nesting': 'Every end tag closes the element that was opened last (XML 1.0, 3).',
    'xml-reference': 'An & begins a reference to a character or an entity (XML 1.0, 4.1).',
    'xml-text': 'Text does not hold ]]> (XML 1.0, 2.4).',
    'xml-comment': 'A comment does not hold -- (XML 1.0, 2.5).',
    'xml-instruction': 'A processing instruction has a name without colon that is not reserved (XML 1.0, 2.6).',
    'xml-root': 'There is one root element, with nothing but comments and instructions beside it (XML 1.0, 2.1).',
    'xml-end': 'The file does not end within markup or an open element (XML 1.0, 2.1).',
  }),
  ...rulesOf(E_XML_DTD, { 'xml-doctype': 'There is no document type declaration, whatever it says (ISO 20022 uses none).' }),
  ...rulesOf(E_XML_ENTITY, { 'xml-entity': 'No entity is used but the five of XML (XML 1.0, 4.6).' }),
  ...rulesOf(E_XML_LIMIT, { 'xml-limit': 'Names, tags, texts, comments and nesting are within the limits of the reader.' }),
  ...rulesOf(E_ISO20022_MESSAGE, {
    'message-missing': 'The file holds a Document, or a message in a known envelope.',
    'message-unknown': 'The namespace of Document is that of a message and version that are read.',
    'message-expected': 'The message is one of those that are expected.',
  }),
  ...rulesOf(E_ISO20022_SCHEMA, {
    'document-once': 'A file holds one message.',
    'schema-element': 'An element is one that its parent has (definition).',
    'schema-order': 'Elements come in the order of the definition.',
    'schema-missing': 'Elements that have to be there are there (definition).',
    'schema-repeated': 'No element occurs more often than it may (definition).',
    'schema-choice': 'Of a choice, one element is there (definition).',
    'schema-text': 'Where elements are, no text is (definition).',
    'schema-attribute': 'Amounts have the attribute Ccy, and no other attribute is used but hints at schemas (definition).',
    'schema-length': 'A text has at least one and at most as many characters as its type allows (definition).',
    'schema-pattern': 'A text has the form of its type, such as IBAN, BIC or number text (definition).',
    'schema-code': 'A code is one of the list of its type (definition).',
    'schema-number': 'A number is a decimal number (XML Schema part 2, 3.2.3).',
    'schema-digits': 'A number has no more digits and decimals than its type allows (definition).',
    'schema-range': 'An amount is not below zero, and the base of an exchange rate not below one (definition).',
    'schema-date': 'A date or time is one of the calendar (XML Schema part 2, 3.2.7 to 3.2.11).',
    'schema-boolean': 'An indicator is true, false, 1 or 0 (XML Schema part 2, 3.2.2).',
    'schema-binary': 'Binary content is base64 of the size that its type allows (XML Schema part 2, 3.2.16).',
  }),
  ...rulesOf(E_ISO20022_BUSINESS, {
    'group-count': 'The number of transactions in the group header is that of the transactions (definition of NbOfTxs).',
    'group-sum': 'The control sum in the group header is the sum of all amounts, whatever their currencies (definition of CtrlSum).',
    'payment-count': 'The number of transactions of a payment information is that of its transactions (definition of NbOfTxs).',
    'payment-sum': 'The control sum of a payment information is the sum of its amounts (definition of CtrlSum).',
    'settlement-total': 'The total settlement amount is the sum of the settlement amounts (definition of TtlIntrBkSttlmAmt).',
    'settlement-currency': 'The settlement amounts are in the currency of their total (definition of TtlIntrBkSttlmAmt).',
    balance: 'Opening booked balance and booked entries make the closing booked balance (definitions of OPBD, PRCD and CLBD).',
    'entry-count': 'The summary of a statement has the number of its entries (definition of NbOfNtries).',
    'entry-sum': 'The summary of a statement has the sum of its entries, as a whole and by side (definition of Sum).',
    'entry-net': 'The summary of a statement has the credits less the debits as its net amount (definition of TtlNetNtry).',
    'both-levels':
      'Payment type, charge bearer, ultimate party, scheme, agents and settlement date stand above the transactions or in them, not both (rules of the definitions); a warning.',
    iban: 'An IBAN has the structure of its country and right check digits (ISO 13616).',
    bic: 'A BIC has the code of a country (ISO 9362).',
    lei: 'An LEI has right check digits (ISO 17442).',
    isin: 'An ISIN has a known prefix and a right check digit (ISO 6166).',
    country: 'A country is one of ISO 3166-1.',
    currency: 'A currency is one of ISO 4217; amounts that are not settled may be in one that was withdrawn.',
    'currency-decimals': 'An amount has no more decimals than its currency (ISO 4217).',
    characters: 'With the setting characters=latin, texts have characters of the basic Latin set only (EPC217-08).',
    'header-message': 'The business header announces the message that follows (MsgDefIdr, head.001).',
  }),
]);
