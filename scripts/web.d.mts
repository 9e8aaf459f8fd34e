/** Types of `web.mjs`, for the tests. */
export function buildWeb(): Promise<void>
