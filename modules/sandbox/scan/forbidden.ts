/**
 * What `forbidden_imports:` holds when the meta file does not say: the paper's list (`subprocess`, `os.system`, `eval`
 * and `exec`) mapped to Node. An entry is a built-in or a package (`a` covers `a/b`), a global (`eval`), or a member of
 * one (`process.binding`). And, for each import that modules are often written with, what serves instead.
 */

export const FORBIDDEN_IMPORTS: readonly string[] = [
  'child_process',
  'cluster',
  'worker_threads',
  'vm',
  'wasi',
  'inspector',
  'repl',
  'module.createRequire',
  'process.binding',
  'process._linkedBinding',
  'process.dlopen',
  'process.getBuiltinModule',
  'process.mainModule',
  'eval',
  'Function',
]

const SERVICES: Record<string, string> = {
  fs: "`kernel.getApi('filesystem')`, with a grant as `filesystem.read_file:data/**`",
  http: "`kernel.getApi('fetch')`, with a grant as `fetch.get:api.example.com`",
  sqlite: "`kernel.getApi('database')`, with a grant as `database.query`",
  timers: '`setTimeout`, `kernel.sleep` and `kernel.every`',
  crypto: '`crypto.randomUUID()` and `crypto.subtle.digest`, which are there as globals',
  url: '`URL`, which is there as a global',
  child_process: 'a service that does the work, or an MCP server as a service (docs/mcp.md)',
}

const ALIASES: Record<string, string> = {
  'fs/promises': 'fs',
  https: 'http',
  http2: 'http',
  net: 'http',
  tls: 'http',
  undici: 'http',
  axios: 'http',
  'node-fetch': 'http',
  'better-sqlite3': 'sqlite',
  sqlite3: 'sqlite',
  'timers/promises': 'timers',
  querystring: 'url',
  worker_threads: 'child_process',
  cluster: 'child_process',
}

/** What to use instead of an import, in words. */
export const insteadOfImport = (name: string): string | undefined => SERVICES[ALIASES[name] ?? name]

/** `node:fs` and `fs` are one. */
export const importName = (specifier: string): string => specifier.replace(/^node:/, '')

/** A path (`process.binding`, `vm`, `a/b`) that an entry of the list covers. */
export const isForbidden = (path: string, forbidden: readonly string[]): boolean =>
  forbidden.some((one) => {
    const entry = importName(one)
    return path === entry || path.startsWith(`${entry}/`) || path.startsWith(`${entry}.`)
  })
