/** What to use in a sandbox in place of an import that is refused: text for the error's hint. */
import { packageNameOf } from './packages.ts'

const NODE: readonly [names: RegExp, instead: string][] = [
  [/^fs(\/|$)/, "ask the service `filesystem`: `kernel.getApi('filesystem')`, granted in `grants:`"],
  [
    /^(https?|http2|net|tls|dgram|dns|undici)(\/|$)/,
    "ask the service `fetch`: `kernel.getApi('fetch')`, granted in `grants:`",
  ],
  [/^sqlite$/, "ask the service `database`: `kernel.getApi('database')`, granted in `grants:`"],
  [/^crypto$/, 'use `crypto.randomUUID()`, `crypto.getRandomValues()` and `crypto.subtle.digest()`, which are there'],
  [/^timers(\/|$)/, 'use `setTimeout` or `kernel.sleep()`, which are there'],
  [/^(url|querystring)$/, 'use `URL` and `URLSearchParams`, which are there'],
  [/^(buffer|string_decoder)$/, 'use `Uint8Array`, `TextEncoder` and `TextDecoder`, which are there'],
  [/^(events|stream)(\/|$)/, 'use `kernel.events` and `async *` methods'],
]

export function insteadOf(specifier: string): string {
  const name = specifier.replace(/^node:/, '')
  const known = NODE.find(([names]) => names.test(name))?.[1]
  if (known !== undefined) return known
  if (specifier === 'import()') return 'import it statically, at the top of the file'
  if (specifier.startsWith('node:')) return 'ask a service for what it does, granted in `grants:`'
  return `add \`${packageNameOf(specifier)}\` to \`sandbox: {packages: […]}\` if it is pure JavaScript`
}
