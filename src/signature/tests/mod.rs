mod digest;
mod misuse;
mod replay;
mod rfc9421;
mod samples;
