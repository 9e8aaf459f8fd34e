/**
 * What a module asks of the packages it imports: the exports it names, with members of them. Read from its transformed code,
 * where types are gone and every use of an import is spelled the same way. Pure.
 */
import { LOADED } from './live.ts'
import type { Path } from './names-used.ts'

const IMPORT = /^const (__vite_ssr_import_\d+__) = await __vite_ssr_import__\(("(?:[^"\\]|\\.)*")/gm
const USE = /(?<!^const )\b(__vite_ssr_import_\d+__)((?:\.[A-Za-z_$][\w$]*)*)/gm

/** specifier → what is asked of it; no path at all: anything. */
export function importsUsed(code: string): Map<string, Path[]> {
  const specifiers = new Map<string, string>()
  for (const [, variable = '', specifier = ''] of code.matchAll(IMPORT))
    if (!specifiers.has(variable)) specifiers.set(variable, JSON.parse(specifier) as string)
  const used = new Map([...specifiers.values()].map((specifier) => [specifier, [LOADED]]))
  for (const [, variable = '', members = ''] of code.matchAll(USE))
    used.get(specifiers.get(variable) ?? '')?.push(members.split('.').slice(1))
  return used
}
