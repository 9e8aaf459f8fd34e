/**
 * What does its text ask for that the version which serves does not? Whatever a sandbox would refuse, new services that are
 * called, and new globals are powers, and powers are given by people: by `grants:` in the config of the service.
 */
import type { KernelServiceApi } from '../../../contracts/kernel.ts'
import type { Power, ScanFinding } from '../../../contracts/sandbox.ts'
import { parseGrant, powerText, type Grant } from '../../../lib/grant-text.ts'
import { failed, passed, type ServiceCheck } from '../check.ts'

const findingKey = ({ rule, message }: ScanFinding): string => `${rule} ${message}`

export const scanCheck: ServiceCheck = {
  name: 'scan',
  of: 'service',
  async run({ kernel, subject: { api, before, after } }) {
    const system = kernel.getApi<KernelServiceApi>('kernel')
    const packages = packagesOf(before)
    const [was, is] = [await system.scan(ownOnly(before), packages), await system.scan(ownOnly(after), packages)]
    const known = new Set(was.findings.map(findingKey))
    const fresh = is.findings.filter((one) => !known.has(findingKey(one)))
    const [finding] = fresh
    if (finding !== undefined) {
      const { file, line, column, message, instead, rule } = finding
      const findings = fresh.map((one) => findingKey(one))
      return failed(`${file}:${line}:${column} ${message} (${rule}). ${instead}`, { findings })
    }
    const powers = new Set(was.powers.map(powerText))
    const grants = await grantsOf(system, api)
    const asked = is.powers.filter(
      (one) => one.service !== api && !powers.has(powerText(one)) && !isGranted(grants, one),
    )
    if (asked.length > 0) {
      const list = [...new Set(asked.map(powerText))]
      return failed(
        `it asks for ${list.join(', ')}, which the version that serves does not: a person may grant that with \`grants:\` in its config`,
        { powers: list },
      )
    }
    const names = newNames(before, after)
    if (names.length > 0)
      return failed(`it uses the globals ${names.join(', ')}, which the version that serves does not`, {
        globals: names,
      })
    return passed(`no new powers; ${is.powers.length} as before`)
  },
}

/** The product's own library was not written by who made the change. */
const ownOnly = (texts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).filter(([path]) => !/(^|\/)modules\/(lib|contracts)\//.test(path)))

/** Packages the version that serves imports are no news. */
const packagesOf = (texts: Readonly<Record<string, string>>): string[] => [
  ...new Set(
    Object.values(ownOnly(texts)).flatMap((text) =>
      [...text.matchAll(/\bfrom\s*['"]([^'".\n][^'"\n]*)['"]/g)]
        .map(([, name = '']) => name)
        .filter((name) => !name.startsWith('node:') && !name.startsWith('.')),
    ),
  ),
]

async function grantsOf(
  system: { configs(api: string): Promise<{ values: { key: string; value: unknown }[] }[]> },
  api: string,
): Promise<Grant[]> {
  const configs = await system.configs(api)
  const value = configs.flatMap(({ values }) => values).find(({ key }) => key === 'grants')?.value
  return (Array.isArray(value) ? value : []).flatMap((one) => (typeof one === 'string' ? (parseGrant(one) ?? []) : []))
}

const isGranted = (grants: readonly Grant[], { service, aspect, method }: Power): boolean =>
  grants.some(
    (grant) =>
      grant.service === service &&
      (grant.aspect === '*' || grant.aspect === aspect) &&
      (grant.method === '*' || grant.method === method),
  )

/** What a module finds out about where it runs, and what is shared by all code: the scan knows the rest. */
const AMBIENT = /\b(globalThis|global|self|performance|navigator|stack|Reflect)\b/g

function newNames(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string[] {
  const names = (text: string): string[] => [...text.matchAll(AMBIENT)].map(([name]) => name)
  const known = new Set(Object.values(before).flatMap(names))
  const changed = Object.entries(ownOnly(after)).filter(([path, text]) => before[path] !== text)
  return [...new Set(changed.flatMap(([, text]) => names(text)))].filter((name) => !known.has(name))
}
