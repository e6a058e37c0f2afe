//! The client against simulated units over real sockets, with everything that units do wrong
//! (K-10): each fault ends in a definite answer within the deadline, and answers nobody else.

mod breaker;
mod clear_pins;
mod each_fault;
mod load;
mod rig;
mod tls;
mod whose_answer;
