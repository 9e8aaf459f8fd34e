/**
 * What a person looks at before allowing a call: the files it would change as they are now, how they would differ, and
 * which services that would touch. Reads files, changes nothing. Used by `parked-calls.ts`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KernelServiceApi } from '../../contracts/kernel.ts'
import type { Handle } from '../../contracts/module.ts'
import type { Change, FileChange } from '../../contracts/policy.ts'
import type { JsonMap } from '../../contracts/seams.ts'
import { shortHash } from '../../lib/hash.ts'
import { lineDiff } from '../../lib/line-diff.ts'
import { shortJson } from '../../lib/short-json.ts'

const DIFF_CHARS_MAX = 100_000

export interface Preview {
  bases: { path: string; hash: string | null }[]
  diff: string
  evidence: JsonMap
}

export const bytesOf = (root: string, path: string): Buffer | null => {
  try {
    return readFileSync(join(root, path))
  } catch {
    return null // not there, or nothing that could be changed as a file
  }
}

export async function preview(
  root: string,
  system: Handle<KernelServiceApi>,
  changes: readonly Change[],
): Promise<Preview> {
  const paths = changes.flatMap((one) => (one.kind === 'file' ? [one.path] : one.kind === 'value' ? [one.file] : []))
  const bases = [...new Set(paths)].map((path) => {
    const bytes = bytesOf(root, path)
    return { path, hash: bytes === null ? null : shortHash(bytes) }
  })
  const diff = changes.flatMap((change) => diffOf(root, change)).join('\n')
  const files = changes.filter((one): one is FileChange => one.kind === 'file' && one.operation !== 'create')
  const touched = files.length === 0 ? [] : await system.plan(files.map(({ path, text }) => proposed(path, text)))
  return {
    bases,
    diff: diff.length > DIFF_CHARS_MAX ? `${diff.slice(0, DIFF_CHARS_MAX)}\n… cut` : diff,
    evidence: {
      changes: changes.filter((one) => one.kind === 'value').map((one) => toJson(one)),
      touches: touched.map(({ api, change, callers }) => ({ service: api, change, callers })),
    },
  }
}

const proposed = (path: string, text?: string): { path: string; text?: string } =>
  text === undefined ? { path } : { path, text }

const toJson = (value: unknown): JsonMap => JSON.parse(JSON.stringify(value)) as JsonMap

function diffOf(root: string, change: Change): string[] {
  if (change.kind === 'value')
    return [`${change.file}: ${change.key} ${shortJson(change.old)} → ${shortJson(change.new)}`]
  if (change.kind === 'grant') return [`${change.service} would get ${change.grant}`]
  if (change.kind === 'tool') return []
  const { path, operation, text } = change
  if (operation === 'delete') return [`${path} is deleted`]
  if (text === undefined) return [`${path} is changed`]
  const before = bytesOf(root, path)?.toString('utf8') ?? ''
  return [`--- ${path}`, `+++ ${path}`, lineDiff(before, text).patch]
}
