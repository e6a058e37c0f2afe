//! Behaviour of the engine through its public face: scenario tables by subject, and properties over
//! random runs. It never looks at anything that another package could not see.

mod advices;
mod advices_in_order;
mod against_model;
mod approvals;
mod bad_input;
mod card_security;
mod check_order;
mod controls;
mod currency;
mod decision_trace;
mod expiry;
mod fee_lives;
mod fee_pieces;
mod fees;
mod forget;
mod harness;
mod in_flight;
mod increments;
mod ledger;
mod locks;
mod management;
mod matching;
mod network_traces;
mod outside_locks;
mod partial;
mod pin_counters;
mod pin_services;
mod pools;
mod properties;
mod reference;
mod renewals;
mod repeats;
mod restart;
mod reversals;
mod transfers;
