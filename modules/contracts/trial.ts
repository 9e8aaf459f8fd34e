/**
 * A version of a service beside the one that serves, for calls nobody waits for: replay, and later the checks of changes.
 * It has no way to other services, events, tasks or held resources but `answer`; its packages and `node:` are those of
 * the process, so what it does with them by itself it really does.
 */

export interface TrialRequest {
  api: string
  /**
   * `live`: what serves, once more; `disk`: the source as it stands; a hash, or the first eight signs of one: a version
   * that is still kept; a path from the root: another source with the same config
   */
  version: string
  /** answers what the version calls of others. What it throws or rejects with is what the version gets. */
  answer(call: TrialCall): unknown
}

export interface TrialCall {
  api: string
  aspect: string
  method: string
  args: unknown[]
}

export interface Trial {
  readonly source_hash: string
  readonly config_hash: string
  /** Rejects as the method does; with `method_not_found` where it has none. */
  call(aspect: string, method: string, args: readonly unknown[]): Promise<unknown>
  /** Ends it and what it owns. Never rejects. */
  end(): Promise<void>
}
