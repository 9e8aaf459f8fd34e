/** `import … from 'meta-machine'` in an isolate: the same names as outside, as far as they have a meaning there. */
import type { ErrorData } from '../../../contracts/errors.ts'
import { CodedError, coded, flatten } from './errors.ts'
import type { Exports } from './link.ts'

export const metaMachine: Exports = {
  tool: <T>(definition: T): T => definition,
  CodedError,
  needPackage: () => Promise.reject(coded('sandbox_not_here', { what: '`needPackage()`' })),
  codeOf: (thrown: unknown): string | undefined => flatten(thrown).code,
  reasonOf: (thrown: unknown): string => flatten(thrown).message,
  toErrorData(thrown: unknown): ErrorData {
    const { code, message, hint } = flatten(thrown)
    return { code: code ?? 'callee_error', message, hint: hint ?? 'The service itself reported this.' }
  },
}
