/** Advice about failed statements of an erase, shared by all engines. */
export const REMEDIES = {
  referred:
    "Rows refer to those: `cascade: 'follow'` deletes them too. Where it was said already, a trigger kept such a row, or another session wrote one meanwhile: look at the triggers, or erase again.",
  deadlock: 'Another session wanted the same rows in another order. Nothing was changed: erase again.',
  changed:
    'Other sessions write the same rows meanwhile. Nothing was changed: erase again, or in smaller batches (batch).',
  unknownName: 'Correct the condition; or, if a test changed the schema, reset first.',
  other: 'Nothing was changed. Fix the cause and erase again.',
} as const
