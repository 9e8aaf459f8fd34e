/**
 * The rules of the scan, one row each: what is said, and what to use instead. `refuse`: a sandboxed module with it is
 * not loaded. `listed`: that holds while `forbidden_imports:` lists what was found; otherwise it is only told.
 * The scan is a lint with a memory for alternatives. The isolate is the boundary: nothing there relies on these.
 */
import type { ScanFinding } from '../../contracts/sandbox.ts'

interface Rule {
  readonly severity: ScanFinding['severity'] | 'listed'
  readonly message: string
  readonly instead: string
}

export const RULES = {
  parse_error: {
    severity: 'refuse',
    message: 'It cannot be read: {what}',
    instead: 'Fix the syntax: what cannot be read cannot be judged.',
  },
  import_forbidden: {
    severity: 'refuse',
    message: '`{what}` is on the list `forbidden_imports`',
    instead: 'Use {instead}.',
  },
  import_missing: {
    severity: 'warn',
    message: '`{what}` is not there in a sandbox',
    instead: 'Use {instead}.',
  },
  import_computed: {
    severity: 'refuse',
    message: 'What is imported here is known only when it runs',
    instead: "Import by a literal name: `import x from './x.ts'`.",
  },
  import_url: {
    severity: 'refuse',
    message: '`{what}` is code from a URL',
    instead: 'Put the file beside the module and import it by its path.',
  },
  dynamic_code: {
    severity: 'listed',
    message: '`{what}` makes code out of text',
    instead: 'Write the function, or look the behavior up in a table of functions.',
  },
  string_timer: {
    severity: 'listed',
    message: '`{what}` is given a text, which is run as code',
    instead: 'Give it a function: `setTimeout(() => work(), ms)`.',
  },
  constructor_access: {
    severity: 'refuse',
    message: 'The `constructor` of a value leads to `Function`, which makes code out of text',
    instead: 'Name the class; `.constructor.name` and comparing `.constructor` are fine.',
  },
  global_computed: {
    severity: 'refuse',
    message: 'Which global is meant here is known only when it runs',
    instead: 'Name the global, or keep what you look up in a Map of your own.',
  },
  process_internal: {
    severity: 'listed',
    message: '`{what}` reaches under the module system',
    instead: 'Import what you need by name, or ask a service for it.',
  },
  create_require: {
    severity: 'listed',
    message: '`{what}` imports what nobody can see from outside',
    instead: 'Use `import` with a literal name.',
  },
  global_missing: {
    severity: 'warn',
    message: '`{what}` is not there in a sandbox',
    instead: 'Use {instead}.',
  },
  api_computed: {
    severity: 'warn',
    message: 'Which service is asked for here is known only when it runs',
    instead: "Write the name: `kernel.getApi('database')`. It has to be among the grants either way.",
  },
} as const satisfies Record<string, Rule>

export type RuleName = keyof typeof RULES

/** Which rule speaks of a global or of a member of a built-in, by its path; undefined: it is none of ours. */
export function ruleOfPath(path: string): RuleName | undefined {
  if (path === 'eval' || path === 'Function') return 'dynamic_code'
  if (path === 'module.createRequire') return 'create_require'
  if (/^process\.(binding|_linkedBinding|dlopen|getBuiltinModule|mainModule)$/.test(path)) return 'process_internal'
  return undefined
}

/** Globals of Node that are not in an isolate, and what is. */
export const GLOBALS_MISSING: Readonly<Record<string, string>> = {
  process: 'the config for values (`${ENV}` in YAML), `kernel.clock` for time',
  Buffer: '`Uint8Array`, `TextEncoder`, `atob` and `btoa`',
  fetch: "`kernel.getApi('fetch')`, with a grant as `fetch.get:api.example.com`",
  XMLHttpRequest: "`kernel.getApi('fetch')`",
  WebSocket: "`kernel.getApi('fetch')`",
  require: '`import` with a literal name',
  __dirname: 'paths from the root, given to the service `filesystem`',
  __filename: 'paths from the root, given to the service `filesystem`',
  WebAssembly: 'JavaScript; for more power, an MCP server as a service',
  SharedArrayBuffer: '`ArrayBuffer`',
  Atomics: 'messages: nothing is shared',
  FinalizationRegistry: '`kernel.own(release, label)`',
  WeakRef: 'a `Map` with a limit',
}
