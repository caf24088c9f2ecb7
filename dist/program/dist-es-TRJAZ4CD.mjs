import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{ENV_ACCOUNT_ID,ENV_CREDENTIAL_SCOPE,ENV_EXPIRATION,ENV_KEY,ENV_SECRET,ENV_SESSION,fromEnv}from"./chunk-PL3XLLMU.mjs";import"./chunk-7VPZHDWZ.mjs";import"./chunk-CG47S3TU.mjs";import"./chunk-ZNDCOES5.mjs";import"./chunk-X6VNTWP4.mjs";import"./chunk-WV7T2FTI.mjs";export{ENV_ACCOUNT_ID,ENV_CREDENTIAL_SCOPE,ENV_EXPIRATION,ENV_KEY,ENV_SECRET,ENV_SESSION,fromEnv};
