/** The services `config` and `module`: changes of what runs, as their callers see them. */
import type { ErrorData } from './errors.ts'

/** What became of a service whose files were changed. */
export interface Landed {
  service: string
  state: 'live' | 'stopped' | 'waiting' | 'deferred' | 'failed'
  generation: number | null
  error?: ErrorData
}

export interface ConfigEdit {
  /** `limits.drain_ms` → value: a dot goes one level down */
  set?: Record<string, unknown>
  remove?: string[]
  /** the hash of the file as it was read; else `file_changed` */
  base?: string
}

/** Configs of services, key by key. */
export interface ConfigApi {
  read(service: string): Promise<{
    service: string
    file: string
    prog: string
    text: string
    hash: string | null
    values: { key: string; value: unknown; origin: string }[]
    error: ErrorData | null
  }>
  /** Checked before it is written; `taken_back`: the service refused it, and the file is as it was. */
  edit(
    service: string,
    edit: ConfigEdit,
  ): Promise<{
    service: string
    file: string
    hash: string | null
    changed: string[]
    landed: Landed | null
    taken_back: boolean
  }>
}

export interface ModuleCreate {
  /** path under modules/ without ending */
  name: string
  source: string
  config?: Record<string, unknown>
  /** default: the name */
  api?: string
  description?: string
}

export interface ModuleUpdate {
  service: string
  source: string
  /** the hash of the source as it was read; else `file_changed` */
  base: string
}

/** Modules from source. `taken_back`: something was refused, and the files are as they were. */
export interface WorkshopApi {
  read(service: string): Promise<{ service: string; file: string; source: string; hash: string | null }>
  create(what: ModuleCreate): Promise<{ service: string; files: string[]; landed: Landed[]; taken_back: boolean }>
  update(
    what: ModuleUpdate,
  ): Promise<{ service: string; file: string; hash: string | null; landed: Landed[]; taken_back: boolean }>
}
