/** Statements, reports and notifications from version 10 on. The notation is that of `notation.ts`. */
export const laterReportTypes = `
Parties9 < Parties6 DbtrAcct:Account40 CdtrAcct:Account40
CardEntry5 < CardEntry4 PrePdAcct:Account40
CardTransaction18 < CardTransaction17 PrePdAcct:Account40
EntryTransaction12 < EntryTransaction10 RltdPties:Parties9 LclInstrm>PmtTpInf?:PaymentType27 RmtInf:Remittance21 Tax:Tax10
  CardTx:CardTransaction18
EntryDetails11 < EntryDetails9 TxDtls:EntryTransaction12
Entry12 < Entry10 CardTx:CardEntry5 NtryDtls:EntryDetails11
Statement11 < Statement9 Acct:Account41 RltdAcct:Account40 Ntry:Entry12
Report31 < Report25 Acct:Account41 RltdAcct:Account40 Ntry:Entry12
Notification20 < Notification17 Acct:Account41 RltdAcct:Account40 Ntry:Entry12
ToCustomerStatement10 < ToCustomerStatement8 Stmt:Statement11
ToCustomerReport10 < ToCustomerReport8 Rpt:Report31
ToCustomerNotification10 < ToCustomerNotification8 Ntfctn:Notification20

CurrencyExchange24 < CurrencyExchange5 QtnDt>XchgRateBase?:positive
ExchangedAmount5 < ExchangedAmount3 CcyXchg:CurrencyExchange24
ExchangedAmount6 < ExchangedAmount4 CcyXchg:CurrencyExchange24
AmountDetails4 < AmountDetails3 InstdAmt:ExchangedAmount5 TxAmt:ExchangedAmount5 CntrValAmt:ExchangedAmount5
  AnncdPstngAmt:ExchangedAmount5 PrtryAmt:ExchangedAmount6
EntryTransaction13 < EntryTransaction12 AmtDtls:AmountDetails4
EntryDetails12 < EntryDetails11 TxDtls:EntryTransaction13
Entry13 < Entry12 AmtDtls:AmountDetails4 NtryDtls:EntryDetails12
Statement12 < Statement11 Ntry:Entry13
Report32 < Report31 Ntry:Entry13
Notification21 < Notification20 Ntry:Entry13
ToCustomerStatement11 < ToCustomerStatement10 Stmt:Statement12
ToCustomerReport11 < ToCustomerReport10 Rpt:Report32
ToCustomerNotification11 < ToCustomerNotification10 Ntfctn:Notification21

Header116 < Header81 MsgRcpt:PartyId272
ChargeRecord8 < ChargeRecord3 Agt:Agent8
EntryChargesTotal15 < EntryChargesTotal6 Rcrd:ChargeRecord8
ProprietaryParty6 < ProprietaryParty5 Pty:Party50
ProprietaryAgent5 < ProprietaryAgent4 Agt:Agent8
Parties12 < Parties9 InitgPty:Party50 Dbtr:Party50 UltmtDbtr:Party50 Cdtr:Party50 UltmtCdtr:Party50 TradgPty:Party50
  Prtry:ProprietaryParty6
Agents6 < Agents5 InstgAgt:Agent8 InstdAgt:Agent8 DbtrAgt:Agent8 CdtrAgt:Agent8 IntrmyAgt1:Agent8 IntrmyAgt2:Agent8 IntrmyAgt3:Agent8
  RcvgAgt:Agent8 DlvrgAgt:Agent8 IssgAgt:Agent8 SttlmPlc:Agent8 Prtry:ProprietaryAgent5
Return8 < Return5 Orgtr:PartyId272
EntryTransaction14 < EntryTransaction13 Chrgs:EntryChargesTotal15 RltdPties:Parties12 RltdAgts:Agents6 RltdRmtInf:Location8
  RmtInf:Remittance22 Tax:TaxData1 RtrInf:Return8
EntryDetails13 < EntryDetails12 TxDtls:EntryTransaction14
Entry14 < Entry13 Chrgs:EntryChargesTotal15 NtryDtls:EntryDetails13
Statement13 < Statement12 Acct:Account43 Ntry:Entry14
Report33 < Report32 Acct:Account43 Ntry:Entry14
Notification22 < Notification21 Acct:Account43 Ntry:Entry14
ToCustomerStatement12 < ToCustomerStatement11 GrpHdr:Header116 Stmt:Statement13
ToCustomerReport12 < ToCustomerReport11 GrpHdr:Header116 Rpt:Report33
ToCustomerNotification12 < ToCustomerNotification11 GrpHdr:Header116 Ntfctn:Notification22
`;
