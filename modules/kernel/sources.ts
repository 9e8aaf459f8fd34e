/**
 * The files a service is made from, as texts: those of the version that serves, or as they stand on disk now. What a
 * history keeps and a comparison shows. Configs are as written: secrets and `${ENV}` are not filled in. Reads only.
 */
import { join } from 'node:path'
import type { ServiceSource } from '../contracts/kernel.ts'
import type { ServiceRecord } from '../contracts/state.ts'
import { shownPath } from '../lib/shown-path.ts'
import type { Machine } from './machine.ts'

export function sourceOf(machine: Machine, service: ServiceRecord, which: 'live' | 'disk'): ServiceSource {
  return which === 'live' ? liveSource(machine, service) : diskSource(machine, service)
}

function liveSource(machine: Machine, { api, live, addedLater }: ServiceRecord): ServiceSource {
  const files: Record<string, string> = {}
  for (const [path, text] of live?.scan.texts ?? []) files[shownPath(machine.options.root, path)] = text
  if (live?.configText !== undefined) files[live.desired.file] = live.configText
  return {
    api,
    which: 'live',
    generation: live?.number ?? null,
    source_hash: live?.scan.key ?? null,
    config_hash: live?.desired.hash ?? null,
    config_file: live?.desired.file ?? null,
    added_later: addedLater,
    files,
  }
}

/** A file that does not parse hides what it imports: what the live version imports is looked for too. */
function diskSource(machine: Machine, { api, live, scan, desired, addedLater }: ServiceRecord): ServiceSource {
  const { root } = machine.options
  const paths = new Set([...(scan?.files.keys() ?? []), ...(live?.scan.files.keys() ?? [])])
  const config = desired?.file ?? live?.desired.file ?? null
  if (config !== null && api !== 'kernel') paths.add(join(root, config))
  const files: Record<string, string> = {}
  for (const path of paths) {
    const text = textOf(machine, path)
    if (text !== undefined) files[shownPath(root, path)] = text
  }
  return {
    api,
    which: 'disk',
    generation: null,
    source_hash: scan?.key ?? null,
    config_hash: desired?.hash ?? null,
    config_file: config,
    added_later: addedLater,
    files,
  }
}

/** undefined: it is gone, or cannot be read, which is told where it matters. */
function textOf(machine: Machine, path: string): string | undefined {
  try {
    return machine.readFile(path)?.text
  } catch {
    return undefined
  }
}
