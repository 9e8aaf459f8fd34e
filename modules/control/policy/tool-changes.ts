/**
 * What a tool call would change, said in the words of the policy: a write of a file is a change of that file, whichever
 * tool makes it. Calls of tools that are not named here change nothing the system is made of: data, questions, other
 * services' work. Pure.
 */
import type { Change } from '../../contracts/policy.ts'
import type { Json } from '../../contracts/seams.ts'

type Params = Record<string, unknown>

const file = (path: unknown, operation: 'create' | 'modify' | 'delete'): Change => ({
  kind: 'file',
  path: String(path),
  operation,
})

/** Where the files of a service are, as `kernel.show` says. */
export interface ServiceFiles {
  config_file: string
  source_file: string | null
}

type Values = ReadonlyMap<string, Json>

const TOOLS: Readonly<Record<string, (params: Params, service: ServiceFiles | undefined, values: Values) => Change[]>> =
  {
    filesystem_write_file: ({ path }) => [file(path, 'modify')],
    filesystem_edit_file: ({ path }) => [file(path, 'modify')],
    filesystem_delete_file: ({ path }) => [file(path, 'delete')],
    filesystem_move_file: ({ from, to }) => [file(from, 'delete'), file(to, 'create')],
    module_create: ({ name }) => [
      file(`modules/${String(name)}.ts`, 'create'),
      file(`configs/${String(name)}.yml`, 'create'),
    ],
    module_update: (_params, service) => [file(service?.source_file ?? '../unknown', 'modify')],
    config_edit: ({ set, remove }, service, values) => {
      const path = service?.config_file ?? '../unknown'
      const keys = [
        ...Object.entries((set ?? {}) as Params),
        ...((remove ?? []) as string[]).map((key) => [key] as const),
      ]
      return keys.map(([key, value]) => ({
        kind: 'value' as const,
        file: path,
        key: String(key),
        old: values.get(String(key)),
        new: value as never,
      }))
    },
  }

/** The service whose files a tool changes, by its parameters. */
export const serviceOf = (tool: string, params: Params): string | undefined =>
  (tool === 'module_update' || tool === 'config_edit') && typeof params['service'] === 'string'
    ? params['service']
    : undefined

/** `values`: what the config of that service holds now, by key. */
export function changesOf(tool: string, params: Params, service: ServiceFiles | undefined, values: Values): Change[] {
  return TOOLS[tool]?.(params, service, values) ?? []
}
