/**
 * Values of configs as they are now, as the kernel reads them: what a change is measured from, and put back to, is what
 * is there, never what somebody believes is there. Keys have dots: `harness.retry_limit`.
 */
import type { EffectiveConfig } from '../../contracts/kernel.ts'
import type { Json, JsonMap } from '../../contracts/seams.ts'

const PARAMS = 'params.'

export interface LiveConfigs {
  /** undefined: there is none */
  valueOf(file: string, key: string): Json | undefined
  /** whose config it is */
  serviceOf(file: string): string | undefined
}

export function liveConfigs(configs: readonly EffectiveConfig[]): LiveConfigs {
  const byFile = new Map(configs.map((config) => [config.file, config]))
  return {
    serviceOf: (file) => byFile.get(file)?.api,
    valueOf(file, key) {
      const values = byFile.get(file)?.values ?? []
      // The kernel has laid `params:` over the other keys.
      const plain = key.startsWith(PARAMS) ? key.slice(PARAMS.length) : key
      const [first = '', ...rest] = plain.split('.')
      const whole = values.find((one) => one.key === plain)
      if (whole !== undefined) return whole.value
      return rest.reduce<Json | undefined>(memberOf, values.find((one) => one.key === first)?.value)
    },
  }
}

const memberOf = (value: Json | undefined, key: string): Json | undefined => (isMap(value) ? value[key] : undefined)

const isMap = (value: Json | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
