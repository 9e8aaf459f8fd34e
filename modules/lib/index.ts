/** What `import … from 'meta-machine'` gives to module authors: `tool()`, coded errors, and the types of the contract. */
/// <reference lib="esnext.disposable" preserve="true" />
export { tool } from './tool.ts'
export { newSpan, newTrace, placeUnder } from './trace.ts'
export { needPackage } from './need-package.ts'
export { CodedError, codeOf, reasonOf, toErrorData } from './errors.ts'
export type * from '../contracts/module.ts'
export type { Tool, ToolContext } from '../contracts/tool.ts'
export type { Clock, Log } from '../contracts/seams.ts'
export type {
  AssistantApi,
  DatabaseApi,
  FilesystemApi,
  InferenceApi,
  PackagesApi,
  ToolsApi,
} from '../contracts/services.ts'
