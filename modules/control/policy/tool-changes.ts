/**
 * What a tool call would change, said in the words of the policy: a write of a file is a change of that file, whichever
 * tool makes it. Calls of tools that are not named here change nothing the system is made of: data, questions, other
 * services' work. Pure.
 */
import { stringify } from 'yaml'
import type { Change, FileChange } from '../../contracts/policy.ts'
import type { Json } from '../../contracts/seams.ts'
import { valueChange } from './config-changes.ts'

type Params = Record<string, unknown>

/** What is known of the service a call would change, and of files. */
export interface World {
  /** as `kernel.show` says */
  service?: { api: string; config_file: string; source_file: string | null } | undefined
  /** what the config of the service holds now, by key */
  values: ReadonlyMap<string, Json>
  /** a file's text; undefined where there is none that could be read */
  textOf(path: string): string | undefined
}

const NOWHERE = '../unknown'

const file = (path: unknown, operation: FileChange['operation'], text?: unknown): FileChange => ({
  kind: 'file',
  path: String(path),
  operation,
  ...(typeof text === 'string' ? { text } : {}),
})

const TOOLS: Readonly<Record<string, (params: Params, world: World) => Change[]>> = {
  filesystem_write_file: ({ path, content }, { textOf }) => [
    file(path, textOf(String(path)) === undefined ? 'create' : 'modify', content),
  ],
  filesystem_edit_file: ({ path, old_text, new_text }, { textOf }) => {
    const [before, ...rest] = (textOf(String(path)) ?? '').split(String(old_text))
    return [file(path, 'modify', rest.length === 1 ? `${before}${String(new_text)}${rest[0]}` : undefined)]
  },
  filesystem_delete_file: ({ path }) => [file(path, 'delete')],
  filesystem_move_file: ({ from, to }, { textOf }) => [file(from, 'delete'), file(to, 'create', textOf(String(from)))],
  module_create: ({ name, source, config, api }) => [
    file(`modules/${String(name)}.ts`, 'create', source),
    file(`configs/${String(name)}.yml`, 'create', stringify({ api: api ?? name, prog: name, ...(config as object) })),
  ],
  module_update: ({ source }, { service }) => [file(service?.source_file ?? NOWHERE, 'modify', source)],
  config_edit: ({ set, remove }, { service, values }) => {
    const path = service?.config_file ?? NOWHERE
    const removed = ((remove ?? []) as string[]).map((key): [string, unknown] => [key, undefined])
    return [...Object.entries((set ?? {}) as Params), ...removed].flatMap(([key, value]) =>
      valueChange(path, service?.api ?? NOWHERE, key, values.get(key), value as Json | undefined),
    )
  },
  // What runs changes as much as when its files did.
  kernel_rollback_service: (_params, { service }) => [file(service?.source_file ?? NOWHERE, 'modify')],
  kernel_undo_change: (_params, { service }) => [file(service?.source_file ?? NOWHERE, 'modify')],
}

const OF_SERVICE = new Set(['module_update', 'config_edit', 'kernel_rollback_service', 'kernel_undo_change'])

/** The service whose files a tool changes, by its parameters. */
export const serviceOf = (tool: string, params: Params): string | undefined =>
  OF_SERVICE.has(tool) && typeof params['service'] === 'string' ? params['service'] : undefined

export const changesOf = (tool: string, params: Params, world: World): Change[] => TOOLS[tool]?.(params, world) ?? []
