/** What an answer is about: one record, the records of a group, or a file as a whole. */
export const answerLevels = { record: 0, group: 1, file: 2 } as const;
