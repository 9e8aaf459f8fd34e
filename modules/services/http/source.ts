/**
 * The texts of a service on their way out: configs are as written, and what somebody wrote may be a secret. Those are
 * taken out here, as the service `history` does with its differences.
 */
import type { KernelServiceApi, ServiceSource } from '../../contracts/kernel.ts'
import type { Handle, KernelApi } from '../../contracts/module.ts'
import { Redactor, withoutNamedSecrets } from '../../lib/redact.ts'
import { secretValues } from '../../lib/secret-values.ts'

interface Asking {
  kernel: Pick<KernelApi, 'paths'>
  system: Handle<KernelServiceApi>
}

export async function cleanSource(
  { kernel, system }: Asking,
  api: string,
  which: 'live' | 'disk' = 'live',
): Promise<ServiceSource> {
  const [source, configs] = await Promise.all([system.source(api, which), system.configs()])
  const redactor = new Redactor(secretValues(configs, kernel.paths.runtime, process.env))
  const clean = (path: string, text: string): string =>
    redactor.text(/\.ya?ml$/.test(path) ? withoutNamedSecrets(text) : text)
  const files = Object.entries(source.files).map(([path, text]) => [path, clean(path, text)] as const)
  return { ...source, files: Object.fromEntries(files) }
}
