/**
 * The way to the service `mcp`, and the stream on which an MCP client hears from the server. It stays open for as long as the client does, so it belongs
 * to the service and not to the version of `http` that opened it: the request counts as answered once it flows.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KernelApi } from '../../contracts/module.ts'
import type { McpApi } from '../../contracts/services.ts'
import { codeOf, coded } from '../../lib/errors.ts'
import { sendWeb, webRequest } from './web.ts'

/** `operator`: the request carries the system's own token. */
export async function askMcp(kernel: KernelApi, request: Request, operator: boolean): Promise<Response> {
  try {
    return await kernel.getApi<McpApi>('mcp').handle(request, operator)
  } catch (thrown) {
    // Where nobody knows other tokens there are none.
    throw !operator && codeOf(thrown) === 'service_not_found' ? coded('unauthorized') : thrown
  }
}

/** Rejects before anything is written. */
export async function openMcpStream(
  kernel: KernelApi,
  request: IncomingMessage,
  response: ServerResponse,
  operator: boolean,
): Promise<void> {
  sendWeb(response, await askMcp(kernel, webRequest(request, '/mcp', ''), operator))
}
