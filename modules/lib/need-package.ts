/**
 * A package that may not be there: `await needPackage(kernel, () => import('chromadb'), 'chromadb@3.5.0', 'why')` in
 * `init()`. Where it is missing, the service `packages` is asked for it and the service waits (`waiting_for` names the
 * package); it starts by itself when an operator has confirmed it and it is installed.
 */
import type { KernelApi } from '../contracts/module.ts'
import type { PackagesApi } from '../contracts/services.ts'
import { coded, codeOf, toErrorData } from './errors.ts'

export async function needPackage<T>(
  kernel: Pick<KernelApi, 'api' | 'getApi'>,
  load: () => Promise<T>,
  id: string,
  reason: string,
): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (codeOf(error) !== 'import_missing') throw error
    const at = id.lastIndexOf('@')
    const packages = kernel.getApi<PackagesApi>('packages')
    const { state, error: failure } = await packages.request(id.slice(0, at), id.slice(at + 1), reason, kernel.api)
    if (state === 'denied') throw coded('package_refused', { id, reason: 'an operator denied it' }, {}, error)
    if (state === 'failed') throw coded('package_refused', { id, reason: failure ?? '' }, {}, error)
    // No service has this name, and what a service asks for in its init() and is not there is what it waits for.
    const { message } = toErrorData(error)
    await kernel.getApi<{ loaded(): void }>(`package:${id}`).loaded()
    throw coded('package_refused', { id, reason: message }, {}, error)
  }
}
