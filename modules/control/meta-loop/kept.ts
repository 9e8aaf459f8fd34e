/** Names of the values the store keeps beside its rows. */
export const LAST_COMMIT = 'last_commit'
export const AWAY_SINCE = 'away_since'
export const FIRST_START = 'first_start'
export const LAST_WATCH = 'last_watch'
/** metric → when it was last told that it moved, and how bad that was */
export const TOLD_MOVES = 'told_moves'
