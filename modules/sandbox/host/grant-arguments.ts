/**
 * Which argument of a shipped service's method the pattern of a grant is compared with, and how. One table: a method
 * that is not in it can be granted whole, not by a pattern. Services are known by the names they ship with.
 */

/** `path`: from the root, with globs. `host`: of a URL. `statement`: of SQL. `name`: text with `*`. */
export type ArgumentKind = 'path' | 'host' | 'statement' | 'name'

export interface ArgumentRule {
  readonly kind: ArgumentKind
  /** Everything in the arguments that has to fit. */
  readonly read: (args: readonly unknown[]) => readonly unknown[]
  /** it is the first argument, and nothing else */
  readonly isFirst?: boolean
}

const at =
  (index: number, otherwise?: string): ArgumentRule['read'] =>
  (args) => [args[index] ?? otherwise]
const first = at(0)

/** One key of each item of a list, which is the first argument. */
const each =
  (key: string): ArgumentRule['read'] =>
  ([list]) =>
    Array.isArray(list) ? list.map((one: unknown) => (one as Record<string, unknown> | null)?.[key]) : []

const rule =
  (kind: ArgumentKind) =>
  (read: ArgumentRule['read']): ArgumentRule => ({ kind, read, isFirst: read === first })
const path = rule('path')
const statement = rule('statement')
const name = rule('name')(first)
const host = rule('host')(first)

const RULES: Readonly<Record<string, Readonly<Record<string, ArgumentRule>>>> = {
  filesystem: {
    read_file: path(first),
    write_file: path(first),
    write_files: path(each('path')),
    edit_file: path(first),
    delete_file: path(first),
    move_file: path((args) => [args[0], args[1]]),
    list_files: path(at(0, '.')),
    search_files: path(at(1, '.')),
  },
  database: { query: statement(first), execute: statement(first), transaction: statement(each('sql')) },
  chromadb: {
    get_or_create_collection: name,
    add: name,
    update: name,
    query: name,
    get: name,
    delete: name,
    count: name,
    delete_collection: name,
  },
  tools: { invoke: name, describe: name, invokeAll: { kind: 'name', read: each('name') } },
  fetch: { get: host, request: host, stream: host },
  kernel: { prompt: path(first), show: name, reload: name, rollback: name, undo: name, release: name },
  /** not a service: what `kernel.events` is asked for */
  events: { on: name, emit: name },
}

export function argumentRule(call: { service: string; aspect: string; method: string }): ArgumentRule | undefined {
  if (call.aspect !== 'default' || !Object.hasOwn(RULES, call.service)) return undefined
  const methods = RULES[call.service] ?? {}
  return Object.hasOwn(methods, call.method) ? methods[call.method] : undefined
}
