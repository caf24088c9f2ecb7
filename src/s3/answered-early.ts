import { IncomingMessage } from 'node:http';

/**
 * Ends a request that is answered before it has been sent, for example with 503, as soon as its answer has been read.
 * Node goes on sending the rest of it, for nobody, and from memory that holds another part by then (`PartBuffers`).
 */
export const endingAnswered =
  <Input, Output extends { readonly response: unknown }>(next: (args: Input) => Promise<Output>) =>
  async (args: Input): Promise<Output> => {
    const result = await next(args);
    const { body } = result.response as { readonly body?: unknown };
    if (body instanceof IncomingMessage) {
      const { socket } = body;
      // Node gives the connection to another request only after this.
      body.once('end', () => socket.writableLength > 0 && socket.destroy());
    }
    return result;
  };
