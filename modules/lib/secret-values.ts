/**
 * The values of this root that are secrets: what configs take from `${ENV}` and `secret:NAME`, what stands under a secret
 * name in them, the files in runtime/secrets/, the token, and environment variables named like secrets. Read anew each
 * time it is asked for, since all of these change while the system runs.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { EffectiveConfig } from '../contracts/kernel.ts'
import type { Json } from '../contracts/seams.ts'
import { isSecretName } from './redact.ts'

const ENV = /\$\{([A-Za-z_][A-Za-z0-9_]*)/g

export function secretValues(
  configs: readonly Pick<EffectiveConfig, 'values'>[],
  runtime: string,
  env: Readonly<Record<string, string | undefined>>,
): Set<string> {
  const found = new Set<string>()
  const add = (text: string | undefined): void => {
    if (text !== undefined && text.trim() !== '') found.add(text.trim())
  }
  for (const [name, value] of Object.entries(env)) if (isSecretName(name)) add(value)
  for (const name of names(join(runtime, 'secrets'))) add(read(join(runtime, 'secrets', name)))
  add(read(join(runtime, 'token')))
  for (const { values } of configs) for (const { key, value } of values) collect(key, value, env, add)
  return found
}

/** What became a secret when a config was filled in: from a secret file, or under a name that says so. */
export function secretsIn(written: Json, filled: Json, name = ''): string[] {
  if (typeof written === 'string') {
    if (typeof filled !== 'string' || filled === '') return []
    const isNamed = isSecretName(name) || [...written.matchAll(ENV)].some(([, env = '']) => isSecretName(env))
    return isNamed || written.startsWith('secret:') ? [filled] : []
  }
  if (typeof written !== 'object' || written === null || typeof filled !== 'object' || filled === null) return []
  const values = filled as Record<string, Json>
  return Object.entries(written).flatMap(([key, one]) =>
    secretsIn(one, values[key] ?? null, Array.isArray(written) ? name : key),
  )
}

function collect(
  key: string,
  value: Json,
  env: Readonly<Record<string, string | undefined>>,
  add: (text: string | undefined) => void,
): void {
  if (typeof value === 'string') {
    for (const [, name = ''] of value.matchAll(ENV)) add(env[name])
    if (isSecretName(key.split('.').at(-1) ?? key) && !value.startsWith('secret:') && !value.includes('${')) add(value)
    return
  }
  if (Array.isArray(value)) for (const one of value) collect(key, one, env, add)
  else if (typeof value === 'object' && value !== null)
    for (const [name, one] of Object.entries(value)) collect(name, one, env, add)
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
