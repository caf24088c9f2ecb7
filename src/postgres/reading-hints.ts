/** For a session or a dump that fails without a reason that is known. */
export const READING_HINT =
  'The role has to be allowed to read every table, and no migration may hold a lock on one.';

/** What a standby does, and what helps: follows its name in a sentence. */
export const STANDBY_CONFLICT =
  'ends a long query that conflicts with changes on the primary: set hot_standby_feedback = on or a longer max_standby_streaming_delay there, or make the backup from the primary.';
