// Lets GitHub's language service be imported: its packages import JSON without saying so, which Node.js refuses.
import { registerHooks } from 'node:module';

registerHooks({
  load: (url, context, next) =>
    next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
});
