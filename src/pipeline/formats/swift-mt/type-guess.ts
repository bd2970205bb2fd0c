/** The type of a message that does not say it, from the tags that only some types have. */
import type { MessageType } from './message-layouts.ts';

/** Of parts of messages that say nothing: what banks give their customers most. */
export const guessedType: MessageType = '940';

const decisive: readonly (readonly [RegExp, MessageType])[] = [
  [/^(?:60[FM]|61|62[FM]|64|65|86)$/, '940'],
  [/^(?:34F|90[CD])$/, '942'],
  [/^(?:28D|21R)$/, '101'],
  [/^(?:23B|23E|26T|50[AFK]|59[AF]?|71[AFG])$/, '103'],
  [/^58[AD]$/, '202'],
];

/** Null where the tags so far say nothing: 32A is that of a bank transfer only where a related reference is. */
export function typeFrom(tags: readonly string[]): MessageType | null {
  const last = tags.at(-1)!;
  const found = decisive.find(([form]) => form.test(last));
  if (found) return found[1];
  return last === '32A' ? (tags.includes('21') ? '202' : '103') : null;
}

/** Statements and payments differ long before. */
export const guessedTagsMax = 16;

/** The type that a message with these fields is read as where it does not say its type. */
export function typeOfTags(tags: readonly string[]): MessageType {
  for (let count = 1; count <= Math.min(tags.length, guessedTagsMax); count++) {
    const type = typeFrom(tags.slice(0, count));
    if (type !== null) return type;
  }
  return guessedType;
}
