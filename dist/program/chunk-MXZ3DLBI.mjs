import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{__name}from"./chunk-WV7T2FTI.mjs";var Cancellation=class _Cancellation{static{__name(this,"Cancellation")}#asked=new AbortController;#abandoned=new AbortController;busyWith;get signal(){return this.#asked.signal}get abandoned(){return this.#abandoned.signal}static following(signal){let cancellation=new _Cancellation,ask=__name(()=>cancellation.ask(signal.reason),"ask");return signal.aborted?ask():signal.addEventListener("abort",ask,{once:!0}),cancellation}ask(reason){this.#asked.abort(reason)}abandon(reason){this.#asked.abort(reason),this.#abandoned.abort(reason)}};export{Cancellation};
