/** Statements, reports and notifications: camt.052, camt.053 and camt.054. The notation is that of `notation.ts`. */
export const statementTypes = `
Pagination > PgNb:n5 LastPgInd:boolean
Header42 > MsgId:x35 CreDtTm:dateTime MsgRcpt?:PartyId32 MsgPgntn?:Pagination AddtlInf?:x500
CopyDuplicate1 = CODU COPY DUPL
InterestType1Code = INDY OVRN
InterestType1 | Cd:InterestType1Code Prtry:x35
RateType4 | Pctg:rate Othr:x35
RangeBoundary1 > BdryAmt:implied Incl:boolean
FromToRange > FrAmt:RangeBoundary1 ToAmt:RangeBoundary1
ImpliedRange | FrAmt:RangeBoundary1 ToAmt:RangeBoundary1 FrToAmt:FromToRange EQAmt:implied NEQAmt:implied
AmountRange2 > Amt:ImpliedRange CdtDbtInd?:CreditDebit Ccy:currency
Rate3 > Tp:RateType4 VldtyRg?:AmountRange2
AccountInterest2 > Tp?:InterestType1 Rate*:Rate3 FrToDt?:TimePeriod Rsn?:x35
BalanceCode12 = XPCD OPAV ITAV CLAV FWAV CLBD ITBD OPBD PRCD INFO
BalanceCode5 | Cd:BalanceCode12 Prtry:x35
BalanceType12 > CdOrPrtry:BalanceCode5 SubTp?:cd4
CreditLine2 > Incl:boolean Amt?:amount
AvailabilityDate1 | NbOfDays:p15 ActlDt:date
Availability2 > Dt:AvailabilityDate1 Amt:amount CdtDbtInd:CreditDebit
Balance3 > Tp:BalanceType12 CdtLine?:CreditLine2 Amt:amount CdtDbtInd:CreditDebit Dt:DateOrTime Avlbty*:Availability2
Sum1 > NbOfNtries?:n15 Sum?:decimal
Sum2 > NbOfNtries?:n15 Sum?:decimal TtlNetNtryAmt?:decimal CdtDbtInd?:CreditDebit
CodeFamily > Cd:x4 SubFmlyCd:x4
CodeDomain > Cd:x4 Fmly:CodeFamily
ProprietaryCode1 > Cd:x35 Issr?:x35
TransactionCode4 > Domn?:CodeDomain Prtry?:ProprietaryCode1
SumPerCode2 > NbOfNtries?:n15 Sum?:decimal TtlNetNtryAmt?:decimal CdtDbtInd?:CreditDebit FcstInd?:boolean BkTxCd:TransactionCode4
  Avlbty*:Availability2
Totals2 > TtlNtries?:Sum2 TtlCdtNtries?:Sum1 TtlDbtNtries?:Sum1 TtlNtriesPerBkTxCd*:SumPerCode2
MessageId2 > MsgNmId?:x35 MsgId?:x35
CurrencyExchange5 > SrcCcy:currency TrgtCcy?:currency UnitCcy?:currency XchgRate:baseRate CtrctId?:x35 QtnDt?:dateTime
ExchangedAmount3 > Amt:amount CcyXchg?:CurrencyExchange5
ExchangedAmount4 > Tp:x35 Amt:amount CcyXchg?:CurrencyExchange5
AmountDetails3 > InstdAmt?:ExchangedAmount3 TxAmt?:ExchangedAmount3 CntrValAmt?:ExchangedAmount3 AnncdPstngAmt?:ExchangedAmount3
  PrtryAmt*:ExchangedAmount4
ChargeType1 = BRKF COMM
ChargeType2 | Cd:ChargeType1 Prtry:GenericId3
ChargeType3 | Cd:x4 Prtry:GenericId3
TaxCharges2 > Id?:x35 Rate?:rate Amt?:amount
EntryCharges6 > TtlChrgsAndTaxAmt?:amount Amt:amount CdtDbtInd?:CreditDebit Tp?:ChargeType2 Rate?:rate Br?:ChargeBearer1 Pty?:Agent4
  Tax?:TaxCharges2
Interest2 > Amt:amount CdtDbtInd:CreditDebit Tp?:InterestType1 Rate*:Rate3 FrToDt?:TimePeriod Rsn?:x35
Batch2 > MsgId?:x35 PmtInfId?:x35 NbOfTxs?:n15 TtlAmt?:amount CdtDbtInd?:CreditDebit
ProprietaryReference1 > Tp:x35 Ref:x35
References2 > MsgId?:x35 AcctSvcrRef?:x35 PmtInfId?:x35 InstrId?:x35 EndToEndId?:x35 TxId?:x35 MndtId?:x35 ChqNb?:x35 ClrSysRef?:x35
  Prtry?:ProprietaryReference1
ProprietaryParty2 > Tp:x35 Pty:PartyId32
Parties2 > InitgPty?:PartyId32 Dbtr?:PartyId32 DbtrAcct?:Account16 UltmtDbtr?:PartyId32 Cdtr?:PartyId32 CdtrAcct?:Account16
  UltmtCdtr?:PartyId32 TradgPty?:PartyId32 Prtry*:ProprietaryParty2
ProprietaryAgent2 > Tp:x35 Agt:Agent4
Agents2 > DbtrAgt?:Agent4 CdtrAgt?:Agent4 IntrmyAgt1?:Agent4 IntrmyAgt2?:Agent4 IntrmyAgt3?:Agent4 RcvgAgt?:Agent4 DlvrgAgt?:Agent4
  IssgAgt?:Agent4 SttlmPlc?:Agent4 Prtry*:ProprietaryAgent2
ProprietaryDate2 > Tp:x35 Dt:DateOrTime
Dates2 > AccptncDtTm?:dateTime TradActvtyCtrctlSttlmDt?:date TradDt?:date IntrBkSttlmDt?:date StartDt?:date EndDt?:date TxDtTm?:dateTime
  Prtry*:ProprietaryDate2
ProprietaryPrice2 > Tp:x35 Pric:amount
Price2 | DealPric:amount Prtry+:ProprietaryPrice2
InstrumentQuantity | Unit:decimal FaceAmt:implied AmtsdVal:implied
ProprietaryQuantity1 > Tp:x35 Qty:x35
Quantities1 | Qty:InstrumentQuantity Prtry:ProprietaryQuantity1
AlternateSecurity2 > Tp:x35 Id:x35
Security4 | ISIN:isin Prtry:AlternateSecurity2
Return10 > OrgnlBkTxCd?:TransactionCode4 Orgtr?:PartyId32 Rsn?:cd4 AddtlInf*:x105
CorporateAction1 > Cd?:x35 Nb?:x35 Prtry?:x35
EntryTransaction2 > Refs?:References2 AmtDtls?:AmountDetails3 Avlbty*:Availability2 BkTxCd?:TransactionCode4 Chrgs*:EntryCharges6
  Intrst*:Interest2 RltdPties?:Parties2 RltdAgts?:Agents2 Purp?:cd4 RltdRmtInf{0,10}:Location2 RmtInf?:Remittance5 RltdDts?:Dates2
  RltdPric?:Price2 RltdQties*:Quantities1 FinInstrmId?:Security4 Tax?:Tax3 RtrInf?:Return10 CorpActn?:CorporateAction1
  SfkpgAcct?:Account16 AddtlTxInf?:x500
EntryDetails1 > Btch?:Batch2 TxDtls*:EntryTransaction2
EntryStatus2 = BOOK PDNG INFO
Entry2 > NtryRef?:x35 Amt:amount CdtDbtInd:CreditDebit RvslInd?:boolean Sts:EntryStatus2 BookgDt?:DateOrTime ValDt?:DateOrTime
  AcctSvcrRef?:x35 Avlbty*:Availability2 BkTxCd:TransactionCode4 ComssnWvrInd?:boolean AddtlInfInd?:MessageId2 AmtDtls?:AmountDetails3
  Chrgs*:EntryCharges6 TechInptChanl?:cd4 Intrst*:Interest2 NtryDtls*:EntryDetails1 AddtlNtryInf?:x500
Statement2 > Id:x35 ElctrncSeqNb?:number LglSeqNb?:number CreDtTm:dateTime FrToDt?:TimePeriod CpyDplctInd?:CopyDuplicate1 RptgSrc?:cd4
  Acct:Account20 RltdAcct?:Account16 Intrst*:AccountInterest2 Bal+:Balance3 TxsSummry?:Totals2 Ntry*:Entry2 AddtlStmtInf?:x500
Report11 < Statement2 Bal*:Balance3 AddtlStmtInf>AddtlRptInf?:x500 -AddtlStmtInf
Notification2 < Report11 -Bal AddtlRptInf>AddtlNtfctnInf?:x500 -AddtlRptInf
ToCustomerStatement2 > GrpHdr:Header42 Stmt+:Statement2
ToCustomerReport2 > GrpHdr:Header42 Rpt+:Report11
ToCustomerNotification2 > GrpHdr:Header42 Ntfctn+:Notification2
`;
